-- Grain: one row per distinct set of identifiers on an event; its first event names it.
{{ config(materialized='table') }}

with added as (

    select * from {{ ref('int_event__added') }}

),

displaced as (

    select body_key from {{ ref('int_event__displaced') }}

),

-- The events of identifiers that lost a proof, from all of landing.
again as (

    select * from ({{ event_deliveries(history=true) }}) as told
    where
        body_key in (select body_key from {{ ref('int_identity__lost') }})
        and body_key not in (select body_key from displaced)

),

seen as (

    {{ select_identifiers('added') }}
    union all
    {{ select_identifiers('again') }}

),

first_event as (

    select
        {{ identifier_columns() | join(', ') }},
        is_signed,
        is_known,
        min({{ proof(0, 'occurred_at', 'body_key') }}) as proof
    from seen
    group by all

),

-- What identifies nobody is taken out of the sets, which are fewer than the events.
meant as (

    select
        {% for column in identifier_columns() %}
        {{ identifier(column) }} as {{ column }},
        {% endfor %}
        is_signed,
        is_known,
        {{ proof_time('proof') }} as first_seen_at,
        {{ proof_body('proof') }} as body_key
    from first_event

),

hashed as (

    select
        *,
        {{ sha256_hex('email') }} as email_hash
    from meant

),

id_set as (

    select
        *,
        {% for type in plain_identifiers() %}
        {{ identifier_key("'" ~ type ~ "'", type) }} as {{ type }}_key,
        {% endfor %}
        {{ identifier_key("'email'", 'email_hash') }} as email_key,
        {{ identifier_key("'email'", 'email_sha256') }} as email_sha256_key
    from hashed

)

select * from id_set
