-- Grain: one row per person, day (UTC), event_type and is_action.
{{ config(materialized='incremental', pre_hook="{{ forget_touched() }}") }}

with event as (

    select * from {{ touched(ref('event')) }}

),

event_daily as (

    select
        person_key,
        cast(occurred_at as date) as activity_on,
        event_type,
        any_value(category) as category,
        is_action,
        count(*) as events
    from event
    where person_key is not null
    group by person_key, activity_on, event_type, is_action

)

select * from event_daily
