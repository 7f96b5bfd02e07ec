-- Grain: one row per copy of a Meta event that has an id, of the pixel or of a server.
{{ config(materialized='incremental', pre_hook="{{ forget_matched_again() }}") }}

with matched as (

    select * from {{ ref('int_meta__match') }}

),

meta_copy as (

    select
        'meta_pixel' as source,
        event_id,
        event_type,
        source_id,
        channel,
        occurred_at,
        received_at,
        arrived_at,
        counted_event_id,
        is_counted,
        body_key,
        batch_seq
    from matched

)

select * from meta_copy
