-- Grain: one row per identifier and interval in which it belongs to one person.
-- All but shared devices belong to one person for ever: their interval has no bounds.
{{ config(materialized='incremental', pre_hook="{{ forget_affected() }}") }}

with own as (

    select * from {{ ref('int_identity__own') }}

),

anybody as (

    select identifier_key, person_key from own
    union all
    select identifier_key, person_key
    from {{ before('int_identity__owner', [
        'identifier_key bigint', 'person_key bigint', 'valid_from time',
    ]) }}
    where
        valid_from is null
        and identifier_key not in (
            select identifier_key from {{ ref('int_identity__affected') }}
        )

),

-- A shared device is the last user's until another one is seen or somebody logs out;
-- before the first and between, it is nobody's but its own.
turn as (

    select
        sight.identifier_key,
        sight.seen_at,
        own.person_key as own_key,
        coalesce(user_owner.person_key, own.person_key) as person_key
    from {{ ref('int_identity__sight') }} as sight
    inner join own on sight.identifier_key = own.identifier_key
    left join anybody as user_owner on sight.user_key = user_owner.identifier_key
    qualify
        row_number() over (
            partition by sight.identifier_key, sight.seen_at
            order by sight.body_key desc nulls last
        ) = 1

),

change as (

    select identifier_key, seen_at, person_key
    from turn
    qualify
        coalesce(lag(person_key) over (
            partition by identifier_key order by seen_at nulls last
        ), own_key) <> person_key

),

first_change as (

    select identifier_key, min(seen_at) as seen_at
    from change
    group by identifier_key

),

owner as (

    select
        own.identifier_key,
        own.component_key,
        own.person_key,
        cast(null as {{ time_type() }}) as valid_from,
        first_change.seen_at as valid_to
    from own
    left join first_change on own.identifier_key = first_change.identifier_key
    union all
    select
        change.identifier_key,
        own.component_key,
        change.person_key,
        change.seen_at,
        lead(change.seen_at) over (
            partition by change.identifier_key order by change.seen_at nulls last
        )
    from change
    inner join own on change.identifier_key = own.identifier_key

)

select * from owner
