-- Grain: one row per event that says who has a shared device, or that nobody has it.
{{ config(materialized='incremental', pre_hook="{{ forget_affected() }}") }}

with shared as (

    select identifier.identifier_key, identifier.id_type, identifier.id_value
    from {{ ref('int_identity__identifier') }} as identifier
    inner join {{ of_affected(ref('int_identity__knot')) }} as knot
        on identifier.identifier_key = knot.identifier_key
    where knot.kind = 'shared_device'

),

displaced as (

    select body_key from {{ ref('int_event__displaced') }}

),

kept as (

    select * from {{ before('int_identity__sight', [
        'identifier_key bigint', 'seen_at time', 'body_key bigint', 'user_key bigint',
    ]) }}
    where
        identifier_key in (select identifier_key from shared)
        and identifier_key in (select identifier_key from {{ kept_devices() }} as known)
        and body_key not in (select body_key from displaced)

),

event as (

    select * from {{ ref('int_identity__device_event') }}

),

told as (

    select
        shared.identifier_key,
        event.occurred_at as seen_at,
        event.body_key,
        case
            when event.event_type not in ({{ quoted(logouts()) }})
                then {{ identifier_key("'user_id'", 'event.user_id') }}
        end as user_key
    from event
    inner join shared
        on event.id_type = shared.id_type and event.id_value = shared.id_value
    where
        event.user_id is not null
        or event.event_type in ({{ quoted(logouts()) }})
    union all
    select identifier_key, seen_at, body_key, user_key from kept

),

sight as (

    select distinct identifier_key, seen_at, body_key, user_key
    from told

)

select * from sight
