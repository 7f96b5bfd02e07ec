-- Grain: one row per body of an event that lost to another body of the same event.
{{ config(materialized='incremental', pre_hook="{{ forget_repeated() }}") }}

-- Facts of Stripe are told by many deliveries; that these differ is no conflict.
with derived as (

    select source, event_id from {{ ref('int_stripe__event_delivery') }}

),

repeat as (

    select repeat.*
    from {{ ref('int_event__repeat') }} as repeat
    anti join derived
        on repeat.source = derived.source and repeat.event_id = derived.event_id

),

published as (

    select * from {{ before('event_conflict', [
        'source string', 'event_id string', 'body_key bigint', 'received_at time',
        'occurred_at time', 'event_type string', 'batch_seq bigint',
    ], schema='main') }}

),

body as (

    select
        source, event_id, body_key, received_at, occurred_at, event_type, batch_seq
    from repeat
    union all
    select
        source, event_id, body_key, received_at, occurred_at, event_type, batch_seq
    from published
    semi join repeat
        on published.source = repeat.source and published.event_id = repeat.event_id

),

winner as (

    select * from repeat
    where is_winner

),

conflict as (

    select
        source,
        event_id,
        body_key,
        min(received_at) as received_at,
        any_value(occurred_at) as occurred_at,
        any_value(event_type) as event_type,
        min(batch_seq) as batch_seq
    from body
    anti join winner
        on
            body.source = winner.source
            and body.event_id = winner.event_id
            and body.body_key = winner.body_key
    group by source, event_id, body_key

)

select * from conflict
