-- Grain: one row per person, billing property and interval in which its value holds.
-- As if nothing more will be told. Nobody has billing before the first event.
{{ config(materialized='ephemeral') }}

with stat as (

    select person_key, first_seen_at from {{ touched(ref('int_person__stat')) }}

),

billed as (

    select
        *,
        bool_or(is_past_due or is_paid) over (
            partition by person_key order by valid_from nulls last
            rows between unbounded preceding and current row
        ) as has_paid
    from {{ ref('int_person__billed') }}

),

said as (

    select
        person_key,
        'billing_status' as property,
        case
            when is_past_due then 'past_due'
            when is_paid then 'paid'
            when is_trial then 'trial'
            when has_paid then 'churned'
            else 'none'
        end as value,
        valid_from
    from billed
    union all
    select person_key, 'billing_plan', billing_plan, valid_from from billed
    union all
    select
        person_key,
        'mrr',
        case when is_summable then {{ decimal_text(monthly('arr')) }} end,
        valid_from
    from billed
    union all
    select person_key, 'billing_status', 'none', first_seen_at
    from stat
    where
        not exists (
            select 1 from billed
            where
                stat.person_key = billed.person_key
                and stat.first_seen_at >= billed.valid_from
        )

),

compared as (

    select
        *,
        lag(valid_from) over in_time is null as is_first,
        lag(value) over in_time as value_before
    from said
    window in_time as (
        partition by person_key, property order by valid_from nulls last
    )

),

change as (

    select
        person_key,
        property,
        value,
        valid_from,
        lead(valid_from) over (
            partition by person_key, property order by valid_from nulls last
        ) as valid_to
    from compared
    where is_first or value is distinct from value_before

),

final as (

    select
        change.person_key,
        change.property,
        change.value,
        case when change.property = 'mrr' then 'number' else 'text' end as value_type,
        greatest(change.valid_from, stat.first_seen_at) as valid_from,
        change.valid_to
    from change
    inner join stat on change.person_key = stat.person_key
    where
        change.value is not null
        and (change.valid_to is null or change.valid_to > stat.first_seen_at)

)

select * from final
