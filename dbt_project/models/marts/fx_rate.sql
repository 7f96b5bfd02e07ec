-- Grain: one row per currency and time of a rate to the reporting currency.
{%- set own = reporting_currency() %}

with given as (

    select currency, day, rate from {{ source('inputs', 'fx_rate') }}
    union all
    select '{{ own }}', cast('0001-01-01' as date), 1

),

final as (

    select
        currency,
        '{{ own }}' as reporting_currency,
        cast(rate as decimal(20, 12)) as rate,
        day as valid_from,
        lead(day) over (partition by currency order by day nulls last) as valid_to
    from given

)

select * from final
