-- Grain: one row per event that carries a device which several users share.
-- New events, and of a device that is shared only now everything that was published.
{{ config(materialized='ephemeral') }}

with displaced as (

    select body_key from {{ ref('int_event__displaced') }}

),

newly_shared as (

    select identifier_key from {{ of_affected(ref('int_identity__knot')) }} as knot
    where kind = 'shared_device'
    except
    select identifier_key from {{ kept_devices() }} as kept

),

edge as (

    select * from {{ before('int_identity__edge', [
        'left_key bigint', 'right_key bigint',
    ]) }}

),

near as (

    select identifier_key from newly_shared
    union
    select edge.right_key
    from edge
    inner join newly_shared on edge.left_key = newly_shared.identifier_key
    union
    select edge.left_key
    from edge
    inner join newly_shared on edge.right_key = newly_shared.identifier_key

),

owner as (

    select * from {{ before('int_identity__owner', [
        'identifier_key bigint', 'person_key bigint',
    ]) }}

),

published as (

    select body_key
    from {{ before('event', [
        'body_key bigint', 'person_key bigint',
    ], schema='main') }}
    where
        person_key in (
            select owner.person_key
            from owner
            inner join near on owner.identifier_key = near.identifier_key
        )
        and body_key not in (select body_key from displaced)

),

event as (

    select
        anonymous_id,
        device_id,
        {{ identifier('user_id') }} as user_id,
        event_type,
        occurred_at,
        body_key
    from {{ ref('int_event__added') }}
    where
        (anonymous_id is not null or device_id is not null)
        and {{ is_known_to_identity() }}
    union all
    select
        anonymous_id,
        device_id,
        {{ identifier('user_id') }},
        event_type,
        occurred_at,
        body_key
    from {{ landed('event', history=true) }}
    where
        (anonymous_id is not null or device_id is not null)
        and body_key in (select body_key from published)

),

-- Read once: nothing at all where no device is shared.
carried as (

    select
        kind.id_type,
        case kind.id_type
            when 'anonymous_id' then event.anonymous_id else event.device_id
        end as id_value,
        event.*
    from event
    cross join (values ('anonymous_id'), ('device_id')) as kind (id_type)

)

select * from carried
