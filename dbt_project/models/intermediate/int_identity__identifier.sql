-- Grain: one row per identifier that an event ever carried.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='identifier_key',
    pre_hook="{{ forget_lost(['identifier_key']) }}",
) }}

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

identifier as (

    select
        identifier_key,
        any_value(id_type) as id_type,
        any_value(id_value) as id_value,
        max(email) as email,
        min(first_seen_at) as first_seen_at,
        min_by(event_id, (first_seen_at, body_key)) as event_id,
        min_by(body_key, (first_seen_at, body_key)) as body_key,
        min(first_seen_at) filter (where email is not null) as email_seen_at,
        min_by(body_key, (first_seen_at, body_key)) filter (
            where email is not null
        ) as email_body_key
    from sight
    group by identifier_key

),

named as (

    select
        *,
        {{ uuid5_digest("id_type || ':' || id_value") }} as digest,
        {{ uuid5_of('digest') }} as alias_id
    from identifier

),

final as (

    select
        identifier_key,
        alias_id,
        id_type,
        id_value,
        email,
        first_seen_at,
        event_id,
        body_key,
        email_seen_at,
        email_body_key
    from named

)

select * from final
