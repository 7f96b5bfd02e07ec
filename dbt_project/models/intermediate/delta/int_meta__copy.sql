-- Grain: one row per copy of a Meta event whose match is looked for again.
-- New copies, and those published that share name and id with one that came or went.
{{ config(materialized='ephemeral') }}

with delivery as (

    select *, {{ json_text('metadata', 'channel') }} as channel
    from {{ ref('int_event__winner') }}
    where source = 'meta_pixel' and source_id is not null

),

new_copy as (

    select * from delivery
    where channel in ('pixel', 'server')

),

published as (

    select * from {{ before('meta_copy', [
        'event_id string', 'event_type string', 'source_id string', 'channel string',
        'occurred_at time', 'received_at time', 'is_counted boolean', 'body_key bigint',
        'batch_seq bigint',
    ], schema='main') }}

),

displaced as (

    select body_key from {{ ref('int_event__repeat') }}
    where is_stored and not is_winner

),

touched as (

    select event_type, source_id from new_copy
    union
    select event_type, source_id from published
    where body_key in (select body_key from displaced)

),

copy as (

    select
        event_id,
        event_type,
        source_id,
        channel,
        occurred_at,
        received_at,
        body_key,
        batch_seq,
        cast(null as boolean) as was_counted
    from new_copy
    union all
    select
        published.event_id,
        published.event_type,
        published.source_id,
        published.channel,
        published.occurred_at,
        published.received_at,
        published.body_key,
        published.batch_seq,
        published.is_counted
    from published
    semi join touched
        on
            published.event_type = touched.event_type
            and published.source_id = touched.source_id
    where published.body_key not in (select body_key from displaced)

)

select * from copy
