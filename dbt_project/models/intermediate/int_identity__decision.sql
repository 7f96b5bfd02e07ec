-- Grain: one row per edge of a contested component, with the rule if it was refused.
-- In all other components every edge is accepted.
{{ config(materialized='incremental', pre_hook="{{ forget_affected('left_key') }}") }}

with contested as (

    select component_key from {{ ref('int_identity__contested') }}

),

node as (

    select component_key, identifier_key, id_type
    from {{ ref('int_identity__component') }}
    where component_key in (select component_key from contested)

),

joining as (

    select
        joining.*,
        one.component_key,
        one.id_type as left_type,
        other.id_type as right_type
    from {{ joining_edges() }} as joining
    inner join node as one on joining.left_key = one.identifier_key
    inner join node as other on joining.right_key = other.identifier_key

),

event as (

    select body_key, event_id from {{ ref('int_event__added') }}
    where body_key in (select body_key from joining)
    union
    select body_key, event_id
    from {{ before('event', ['body_key bigint', 'event_id string'], schema='main') }}
    where body_key in (select body_key from joining)

),

edge as (

    select
        joining.component_key,
        joining.left_key,
        joining.right_key,
        joining.trust,
        {{ edge_priority('joining.left_type', 'joining.right_type') }} as priority,
        {{ epoch_micros('joining.first_seen_at') }} as observed_at,
        coalesce(event.event_id, 'by hand') as event_id
    from joining
    left join event on joining.body_key = event.body_key

),

decision as (

    select component_key, left_key, right_key, rule
    from {{ decided_edges('node', 'edge') }}

)

select * from decision
