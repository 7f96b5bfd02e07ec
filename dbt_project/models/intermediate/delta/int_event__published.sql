-- Grain: one row per published event, and per copy of a Meta event that is none.
{{ config(materialized='ephemeral') }}

with event as (

    select * from {{ before('event', [
        'source string', 'event_id string', 'received_at time', 'body_key bigint',
        'batch_seq bigint', 'occurred_at time', 'event_type string',
        'person_key bigint',
    ], schema='main') }}

),

copy as (

    select * from {{ before('meta_copy', [
        'source string', 'event_id string', 'received_at time', 'body_key bigint',
        'batch_seq bigint', 'occurred_at time', 'event_type string',
        'is_counted boolean',
    ], schema='main') }}

),

published as (

    select
        source,
        event_id,
        received_at,
        body_key,
        batch_seq,
        occurred_at,
        event_type,
        person_key
    from event
    union all
    select
        source,
        event_id,
        received_at,
        body_key,
        batch_seq,
        occurred_at,
        event_type,
        cast(null as bigint)
    from copy
    where not is_counted

)

select * from published
