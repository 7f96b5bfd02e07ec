-- Grain: one row per policy, currency, plan and day by as_of on which its MRR moved, or
-- the rate of its currency did while it stood.
{{ config(materialized='view') }}

{%- set key = mrr_daily_key() %}

-- A currency that was used before its first rate has no reporting amounts at all.
with rated as (

    select
        day.*,
        rate.rate,
        lag(rate.rate) over in_time as rate_before,
        bool_or(rate.rate is null) over in_time as is_unrated
    from {{ ref('int_mrr__day') }} as day
    left join {{ ref('fx_rate') }} as rate
        on {{ is_rate_of('rate', 'day.currency', 'day.day') }}
    window in_time as (
        partition by day.{{ key | join(', day.') }} order by day.day nulls last
    )

),

valued as (

    select
        *,
        case when not is_unrated then rate end as used_rate,
        cast(end_arr - moved as decimal(38, 15)) as start_arr
        {%- for movement in mrr_movement_kinds() %},
        {{ reporting_amount('moved_' ~ movement, 'used_rate') }}
            as {{ movement }}_reporting_arr
        {%- endfor %},
        {{ reporting_amount('start_arr', 'used_rate') }}
        - {{ reporting_amount('start_arr', 'coalesce(rate_before, used_rate)') }}
            as fx_reporting_arr
    from rated

),

summed as (

    select
        *,
        cast(sum(
            {{ mrr_movement_kinds() | join('_reporting_arr + ') }}_reporting_arr
            + fx_reporting_arr
        ) over (
            partition by {{ key | join(', ') }} order by day nulls last
        ) as decimal(38, 15)) as reporting_sum
    from valued

),

final as (

    select
        {{ key | join(', ') }},
        day,
        start_arr
        {%- for movement in mrr_movement_kinds() %},
        moved_{{ movement }} as {{ movement }}_arr
        {%- endfor %},
        end_arr,
        {{ monthly('end_arr') }} as end_mrr,
        '{{ reporting_currency() }}' as reporting_currency,
        case
            when used_rate is not null
                then
                    cast(
                        reporting_sum
                        {%- for movement in mrr_movement_kinds() %}
                        - {{ movement }}_reporting_arr
                        {%- endfor %}
                        - fx_reporting_arr as decimal(38, 15)
                    )
        end as start_reporting_arr
        {%- for movement in mrr_movement_kinds() + ['fx'] %},
        cast({{ movement }}_reporting_arr as decimal(38, 15))
            as {{ movement }}_reporting_arr
        {%- endfor %},
        case when used_rate is not null then reporting_sum end as end_reporting_arr,
        {{ unreported_because('currency', 'used_rate') }} as unreported_because
    from summed
    where is_moved or start_arr <> 0

)

select * from final
