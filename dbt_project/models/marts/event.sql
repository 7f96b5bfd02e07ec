-- Grain: one row per event, whatever its time (readers cut at as_of).
{{ config(
    materialized='incremental',
    pre_hook=[
        "{{ forget_displaced_events() }}",
        "{{ forget_new_batches() }}",
        "{{ move_events_to_their_owner() }}",
    ],
) }}

with winner as (

    select
        *,
        {{ first_identifier_type() }} as id_type,
        {{ first_identifier_value() }} as id_value
    from {{ ref('int_event__winner') }}

),

kind as (

    select * from {{ source('inputs', 'event_catalog') }}

),

owned as (

    select
        identifier.id_type,
        identifier.id_value,
        owner.identifier_key,
        owner.person_key
    from {{ ref('int_identity__identifier') }} as identifier
    inner join {{ ref('int_identity__owner') }} as owner
        on identifier.identifier_key = owner.identifier_key

),

event as (

    select
        winner.source,
        winner.event_id,
        winner.source_id,
        winner.event_type,
        coalesce(kind.category, other.category) as category,
        coalesce(kind.is_action, other.is_action, false)
        and winner.source in ('app', 'segment', 'custom') as is_action,
        winner.occurred_at,
        winner.received_at,
        owned.identifier_key,
        owned.person_key,
        winner.session_id,
        winner.account_id,
        winner.device_id,
        winner.ip_address,
        winner.user_agent,
        winner.utm_source,
        winner.utm_medium,
        winner.utm_campaign,
        winner.utm_content,
        winner.utm_term,
        winner.properties,
        winner.traits,
        winner.metadata,
        winner.body_key,
        winner.batch_seq,
        winner.landed_at
    from winner
    left join owned
        on winner.id_type = owned.id_type and winner.id_value = owned.id_value
    left join kind on winner.event_type = kind.event_type
    left join kind as other on other.event_type = '*'

)

-- A report reads only the months and types it asks for.
select * from event
order by
    date_trunc('month', occurred_at) nulls last, event_type nulls last,
    person_key nulls last, occurred_at nulls last
