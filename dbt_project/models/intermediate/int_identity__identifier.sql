-- Grain: one row per identifier that an event ever carried.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='identifier_key',
    pre_hook="{{ forget_lost(['identifier_key']) }}",
) }}

{%- set seen = proof(0, 'first_seen_at', 'body_key') %}

with kept as (

    select * from {{ before('int_identity__identifier', [
        'identifier_key bigint', 'id_type string', 'id_value string', 'email string',
        'first_seen_at time', 'body_key bigint', 'email_seen_at time',
        'email_body_key bigint',
    ]) }}
    where
        identifier_key in (select identifier_key from {{ ref('int_identity__member') }})
        and identifier_key not in (
            select identifier_key from {{ ref('int_identity__lost_identifier') }}
        )

),

-- Read without a CTE: what is used in two places would be kept before it is grouped.
sight as (

    select
        identifier_key,
        id_type,
        id_value,
        email,
        {{ seen }} as proof,
        case when email is not null then {{ seen }} end as email_proof
    from {{ ref('int_identity__member') }}
    union all
    select
        identifier_key,
        id_type,
        id_value,
        email,
        {{ seen }},
        {{ proof(0, 'email_seen_at', 'email_body_key') }}
    from kept

),

-- An address may be known by its hash before it is seen in full: two first sights. The
-- others have one, and no text to carry but what is grouped by: a third less time.
first_sight as (

    select
        identifier_key,
        id_type,
        id_value,
        any_value(email) as email,
        min(proof) as proof,
        min(email_proof) as email_proof
    from sight
    where id_type = 'email'
    group by identifier_key, id_type, id_value
    union all
    select
        identifier_key,
        id_type,
        id_value,
        null,
        min(proof),
        null
    from sight
    where id_type <> 'email'
    group by identifier_key, id_type, id_value

),

identifier as (

    select
        identifier_key,
        id_type,
        id_value,
        email,
        {{ proof_time('proof') }} as first_seen_at,
        {{ proof_body('proof') }} as body_key,
        {{ proof_time('email_proof') }} as email_seen_at,
        {{ proof_body('email_proof') }} as email_body_key
    from first_sight

)

select * from identifier
