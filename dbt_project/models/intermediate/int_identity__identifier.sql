-- Grain: one row per identifier that an event ever carried.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='identifier_key',
    pre_hook="{{ forget_lost(['identifier_key']) }}",
) }}

{%- set is_first -%}
row_number() over (
    partition by identifier_key
    order by first_seen_at asc nulls last, body_key asc nulls last
) = 1
{%- endset %}

with member as (

    select * from {{ ref('int_identity__member') }}

),

kept as (

    select * from {{ before('int_identity__identifier', [
        'identifier_key bigint', 'id_type string', 'id_value string', 'email string',
        'first_seen_at time', 'event_id string', 'body_key bigint',
        'email_seen_at time', 'email_body_key bigint',
    ]) }}
    where
        identifier_key in (select identifier_key from member)
        and identifier_key not in (
            select identifier_key from {{ ref('int_identity__lost_identifier') }}
        )

),

-- An address may be known by its hash before it is seen in full: two first sights.
sight as (

    select
        identifier_key, id_type, id_value, email, first_seen_at, event_id, body_key
    from member
    union all
    select
        identifier_key, id_type, id_value, null, first_seen_at, event_id, body_key
    from kept
    union all
    select
        identifier_key,
        id_type,
        id_value,
        email,
        email_seen_at,
        event_id,
        email_body_key
    from kept
    where email is not null

),

-- Sorted, not grouped: min_by of a text over several values takes twice as long.
first_sight as (

    select *, {{ uuid5_digest("id_type || ':' || id_value") }} as digest
    from sight
    qualify {{ is_first }}

),

first_address as (

    select * from sight
    where email is not null
    qualify {{ is_first }}

),

identifier as (

    select
        first_sight.identifier_key,
        {{ uuid5_of('first_sight.digest') }} as alias_id,
        first_sight.id_type,
        first_sight.id_value,
        first_address.email,
        first_sight.first_seen_at,
        first_sight.event_id,
        first_sight.body_key,
        first_address.first_seen_at as email_seen_at,
        first_address.body_key as email_body_key
    from first_sight
    left join first_address
        on first_sight.identifier_key = first_address.identifier_key

)

select * from identifier
