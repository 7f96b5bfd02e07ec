-- Grain: one row per event, whatever its time (readers cut at as_of).
{{ config(
    materialized='incremental',
    pre_hook=[
        "{{ forget_displaced_events() }}",
        "{{ forget_new_batches() }}",
        "{{ move_events_to_their_owner() }}",
    ],
) }}

with added as (

    select
        *,
        {{ first_identifier_type() }} as id_type,
        {{ first_identifier_value() }} as id_value
    from {{ ref('int_event__added') }}

),

kind as (

    select * from {{ source('inputs', 'event_catalog') }}

),

owned as (

    select
        identifier.id_type,
        identifier.id_value,
        owner.identifier_key,
        owner.person_key,
        owner.valid_from,
        owner.valid_to
    from {{ ref('int_identity__identifier') }} as identifier
    inner join {{ ref('int_identity__owner') }} as owner
        on identifier.identifier_key = owner.identifier_key

),

event as (

    select
        added.source,
        added.event_id,
        added.source_id,
        added.event_type,
        coalesce(kind.category, other.category) as category,
        coalesce(kind.is_action, other.is_action, false)
        and added.source in ('app', 'segment', 'custom') as is_action,
        added.occurred_at,
        added.received_at,
        owned.identifier_key,
        owned.person_key,
        added.session_id,
        added.account_id,
        added.device_id,
        added.ip_address,
        added.user_agent,
        added.utm_source,
        added.utm_medium,
        added.utm_campaign,
        added.utm_content,
        added.utm_term,
        added.properties,
        added.traits,
        added.metadata,
        added.body_key,
        added.batch_seq,
        added.landed_at
    from added
    left join owned
        on
            added.id_type = owned.id_type
            and added.id_value = owned.id_value
            and {{ owned_then('added', 'owned') }}
    left join kind on added.event_type = kind.event_type
    left join kind as other on other.event_type = '*'

)

-- A report reads only the months and types it asks for.
select * from event
order by
    date_trunc('month', occurred_at) nulls last, event_type nulls last,
    person_key nulls last, occurred_at nulls last
