-- Grain: one row per pair of identifiers that one event carried together.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['left_key', 'right_key'],
    pre_hook="{{ forget_lost('left_key') }}",
) }}

with member as (

    select * from {{ ref('int_identity__member') }}

),

kept as (

    select * from {{ before('int_identity__edge', [
        'left_key bigint', 'right_key bigint', 'first_seen_at time', 'event_id string',
        'body_key bigint',
    ]) }}
    where
        left_key in (select identifier_key from member)
        and left_key not in ({{ lost_identifiers() }})

),

sight as (

    select
        member.identifier_key as left_key,
        other.identifier_key as right_key,
        member.first_seen_at,
        member.event_id,
        member.body_key
    from member
    inner join member as other on member.body_key = other.body_key
    where member.identifier_key < other.identifier_key
    union all
    select left_key, right_key, first_seen_at, event_id, body_key
    from kept

),

edge as (

    select
        left_key,
        right_key,
        min(first_seen_at) as first_seen_at,
        min_by(event_id, (first_seen_at, body_key)) as event_id,
        min_by(body_key, (first_seen_at, body_key)) as body_key
    from sight
    group by left_key, right_key

)

select * from edge
