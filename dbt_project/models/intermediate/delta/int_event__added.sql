-- Grain: one row per event that this build adds.
{{ config(materialized='ephemeral') }}

with winner as (

    select * from {{ ref('int_event__winner') }}

),

copy as (

    select * from {{ ref('int_meta__match') }}

),

uncounted as (

    select body_key from copy
    where not is_counted

),

-- A copy that did not count before has landed long ago.
revived as (

    select body_key, batch_seq from copy
    where is_counted and not was_counted

),

landed_before as (

    select landed.*
    from {{ landed('event', history=true) }} as landed
    semi join revived
        on
            landed.body_key = revived.body_key
            and landed.batch_seq = revived.batch_seq
    qualify
        row_number() over (
            partition by landed.body_key
            order by landed.received_at asc nulls last, landed.row_number asc nulls last
        ) = 1

),

added as (

    select * from winner
    where body_key not in (select body_key from uncounted)
    union all
    {{ select_delivery('landed_before') }}

)

select * from added
