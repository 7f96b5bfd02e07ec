-- Grain: one row per policy, currency, plan and day by as_of on which its MRR moved, or
-- the rate of its currency did while it stood.
{{ config(materialized='ephemeral') }}

{%- set key = mrr_daily_key() %}

with moved as (

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
        cast(sum(arr) as decimal(38, 15)) as moved,
        true as is_moved
    from {{ ref('mrr_movement') }}
    group by all

),

begun as (

    select {{ key | join(', ') }}, min(day) as first_day
    from moved
    group by {{ key | join(', ') }}

),

-- Days on which a currency has another rate than before.
revalued as (

    select
        begun.{{ key | join(', begun.') }},
        rate.valid_from as day
        {%- for movement in mrr_movement_kinds() %},
        0 as moved_{{ movement }}
        {%- endfor %},
        0 as moved,
        false as is_moved
    from begun
    inner join {{ ref('fx_rate') }} as rate
        on begun.currency = rate.currency and begun.first_day < rate.valid_from
    inner join {{ ref('build_info') }} as build
        on rate.valid_from <= cast(build.as_of as date)

),

day as (

    select
        {{ key | join(', ') }},
        day
        {%- for movement in mrr_movement_kinds() %},
        cast(sum(moved_{{ movement }}) as decimal(38, 15)) as moved_{{ movement }}
        {%- endfor %},
        cast(sum(moved) as decimal(38, 15)) as moved,
        bool_or(is_moved) as is_moved
    from (
        select * from moved
        union all
        select * from revalued
    ) as either
    group by {{ key | join(', ') }}, day

),

running as (

    select
        *,
        cast(sum(moved) over (
            partition by {{ key | join(', ') }} order by day nulls last
        ) as decimal(38, 15)) as end_arr
    from day

)

select * from running
