-- Grain: one row per person, trait and interval in which its value holds.
-- A trait is said by an event, or is an e-mail address at its first sight.
{{ config(materialized='ephemeral') }}

with event as (

    select * from {{ touched(ref('event')) }}
    where person_key is not null and traits is not null and event_type <> 'group'

),

owner as (

    select * from {{ touched(ref('int_identity__owner')) }}

),

stat as (

    select person_key from {{ touched(ref('int_person__stat')) }}

),

statement as (

    select
        person_key,
        entry_name as property,
        entry_value as value,
        entry_type as value_type,
        occurred_at as said_at,
        body_key,
        1 as weight
    from {{ json_entries('event', 'traits') }} as said
    where entry_name not in ({{ quoted(computed_properties()) }})
    union all
    select
        owner.person_key,
        'email',
        identifier.email,
        'text',
        identifier.email_seen_at,
        identifier.email_body_key,
        0
    from {{ ref('int_identity__identifier') }} as identifier
    inner join owner on identifier.identifier_key = owner.identifier_key
    where
        identifier.email is not null
        and owner.person_key in (select person_key from stat)

),

-- Of several statements at one time the last in order counts.
latest as (

    select * from statement
    qualify
        row_number() over (
            partition by person_key, property, said_at
            order by body_key desc nulls last, weight desc nulls last
        ) = 1

),

compared as (

    select
        *,
        lag(said_at) over in_time is null as is_first,
        lag(value) over in_time as value_before,
        lag(value_type) over in_time as type_before
    from latest
    window in_time as (partition by person_key, property order by said_at nulls last)

),

trait as (

    select
        person_key,
        property,
        value,
        value_type,
        said_at as valid_from,
        lead(said_at) over (
            partition by person_key, property order by said_at nulls last
        ) as valid_to
    from compared
    where
        is_first
        or value is distinct from value_before
        or value_type is distinct from type_before

)

select * from trait
