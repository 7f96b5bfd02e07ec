-- Grain: one row per newly landed event: the delivery that counts.
{{ config(materialized='ephemeral') }}

with delivery as (

    select * from {{ ref('stg_event') }}

),

loser as (

    select * from {{ ref('int_event__repeat') }}
    where not is_stored and not is_winner

),

winner as (

    select delivery.*
    from delivery
    anti join loser
        on
            delivery.body_key = loser.body_key
            and delivery.batch_seq = loser.batch_seq
            and delivery.row_number = loser.row_number
            and delivery.source = loser.source
            and delivery.event_id = loser.event_id

)

select * from winner
