-- Grain: one row per currency that is used on days on which it has no rate.
{{ config(materialized='view') }}

with amount as (

    select currency, cast(valid_from as date) as day
    from {{ ref('subscription_item_period') }}
    where livemode and currency is not null
    union all
    select currency, cast(occurred_at as date)
    from {{ ref('int_revenue__line') }}
    where livemode and unreported_because is not null

),

used as (

    select currency, min(day) as used_from
    from amount
    where {{ major_per_minor('currency') }} is not null
    group by currency

),

rate as (

    select currency, min(valid_from) as rate_from
    from {{ ref('fx_rate') }}
    group by currency

),

final as (

    select
        used.currency,
        '{{ reporting_currency() }}' as reporting_currency,
        used.used_from,
        rate.rate_from
    from used
    left join rate on used.currency = rate.currency
    where rate.rate_from is null or used.used_from < rate.rate_from

)

select * from final
