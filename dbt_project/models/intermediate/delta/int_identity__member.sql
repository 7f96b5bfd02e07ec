-- Grain: one row per identifier of each distinct set of identifiers on an event.
-- A set is named by the body_key of its first event.
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

id_set as (

    select
        user_id,
        email,
        email_sha256,
        stripe_id,
        google_id,
        github_id,
        anonymous_id,
        device_id,
        custom_ids,
        is_signed,
        is_known,
        min(occurred_at) as first_seen_at,
        min_by(event_id, (occurred_at, body_key)) as event_id,
        min_by(body_key, (occurred_at, body_key)) as body_key
    from seen
    group by all

),

carried as ({{ unpivot_identifiers('id_set') }}),

member as (

    select
        body_key,
        {{ key_of(uuid5_digest("id_type || ':' || id_value")) }} as identifier_key,
        id_type,
        id_value,
        email,
        first_seen_at,
        event_id,
        is_signed,
        is_known
    from carried

)

select * from member
