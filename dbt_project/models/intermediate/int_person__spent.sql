-- Grain: one row per person and interval in which the person has spent the same.
-- In the reporting currency, in live mode, as if nothing more will be told. No row from
-- the first line on that has no amount: it is not known then.
{{ config(materialized='ephemeral') }}

with line as (

    select * from {{ touched(ref('int_revenue__line')) }}
    where is_revenue and livemode and person_key is not null and occurred_at is not null

),

moment as (

    select
        person_key,
        occurred_at,
        cast(sum(reporting_amount) as decimal(38, 15)) as amount,
        bool_or(reporting_amount is null) as is_unknown
    from line
    group by person_key, occurred_at

),

running as (

    select
        person_key,
        occurred_at as valid_from,
        lead(occurred_at) over (
            partition by person_key order by occurred_at nulls last
        ) as valid_to,
        cast(sum(amount) over (
            partition by person_key order by occurred_at nulls last
        ) as decimal(38, 15)) as spent,
        bool_or(is_unknown) over (
            partition by person_key order by occurred_at nulls last
            rows between unbounded preceding and current row
        ) as is_unknown
    from moment

),

final as (

    select person_key, {{ decimal_text('spent') }} as value, valid_from, valid_to
    from running
    where not is_unknown

)

select * from final
