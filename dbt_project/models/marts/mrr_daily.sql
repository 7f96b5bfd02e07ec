-- Grain: one row per policy, currency, plan and day by as_of on which its MRR moved.
{{ config(materialized='view') }}

{%- set key = [
    'policy', 'account', 'livemode', 'currency', 'product_id', 'plan_id', 'plan_name',
] %}

with day as (

    select
        {{ key | join(', ') }},
        day
        {%- for movement in mrr_movement_kinds() %},
        coalesce(
            cast(sum(arr) filter (
                where movement = '{{ movement }}'
            ) as decimal(38, 15)),
            0
        ) as moved_{{ movement }}
        {%- endfor %},
        cast(sum(arr) as decimal(38, 15)) as moved
    from {{ ref('mrr_movement') }}
    group by all

),

running as (

    select
        *,
        cast(sum(moved) over (
            partition by {{ key | join(', ') }} order by day nulls last
        ) as decimal(38, 15)) as end_arr
    from day

),

final as (

    select
        {{ key | join(', ') }},
        day,
        cast(end_arr - moved as decimal(38, 15)) as start_arr
        {%- for movement in mrr_movement_kinds() %},
        cast(moved_{{ movement }} as decimal(38, 15)) as {{ movement }}_arr
        {%- endfor %},
        end_arr,
        {{ monthly('end_arr') }} as end_mrr
    from running

)

select * from final
