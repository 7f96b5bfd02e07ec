-- Grain: one row per pair of identifiers that one event carried together.
-- Of several events the first one that a server sent proves it, else the first one.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['left_key', 'right_key'],
    pre_hook="{{ forget_lost(['left_key', 'right_key']) }}",
) }}

with member as (

    select * from {{ ref('int_identity__member') }}

),

lost as (

    select identifier_key from {{ ref('int_identity__lost_identifier') }}

),

kept as (

    select * from {{ before('int_identity__edge', [
        'left_key bigint', 'right_key bigint', 'left_type string', 'right_type string',
        'is_signed boolean', 'first_seen_at time', 'event_id string', 'body_key bigint',
    ]) }}
    where
        left_key in (select identifier_key from member)
        and left_key not in (select identifier_key from lost)
        and right_key not in (select identifier_key from lost)

),

sight as (

    select
        member.identifier_key as left_key,
        other.identifier_key as right_key,
        member.id_type as left_type,
        other.id_type as right_type,
        member.is_signed,
        member.first_seen_at,
        member.event_id,
        member.body_key
    from member
    inner join member as other
        on member.body_key = other.body_key
    where member.identifier_key < other.identifier_key and member.is_known
    union all
    select
        left_key,
        right_key,
        left_type,
        right_type,
        is_signed,
        first_seen_at,
        event_id,
        body_key
    from kept

),

-- Sorted, not grouped: min_by of a text over several values takes four times as long.
edge as (

    select * from sight
    qualify
        row_number() over (
            partition by left_key, right_key
            order by
                is_signed desc nulls last,
                first_seen_at asc nulls last,
                body_key asc nulls last
        ) = 1

)

select * from edge
