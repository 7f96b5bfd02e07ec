-- Grain: one row per person and visit.
-- A visit is what the source calls a session, else events at most 30 minutes apart.
{{ config(materialized='incremental', pre_hook="{{ forget_touched() }}") }}

with event as (

    select * from {{ touched(ref('event')) }}
    where person_key is not null

),

timeline as (

    select
        person_key,
        occurred_at,
        body_key,
        lag(occurred_at) over in_time as previous_at,
        row_number() over in_time as position,
        max(occurred_at) over (partition by person_key) as last_at,
        count(*) over (partition by person_key) as last_position
    from event
    where session_id is null
    window in_time as (
        partition by person_key
        order by occurred_at nulls last, body_key nulls last
    )

),

first_event as (

    select * from timeline
    where previous_at is null or occurred_at > {{ later('previous_at', minutes=30) }}

),

visit as (

    select
        cast(person_key as string) || '-' || {{ epoch_micros('occurred_at') }}
            as session_id,
        person_key,
        occurred_at as started_at,
        coalesce(lead(previous_at) over in_time, last_at) as ended_at,
        coalesce(lead(position) over in_time, last_position + 1) - position as events,
        body_key
    from first_event
    window in_time as (partition by person_key order by occurred_at nulls last)
    union all
    select
        session_id,
        person_key,
        min(occurred_at),
        max(occurred_at),
        count(*),
        min_by(body_key, (occurred_at, body_key))
    from event
    where session_id is not null
    group by session_id, person_key

),

session as (

    select
        visit.session_id,
        visit.person_key,
        visit.started_at,
        visit.ended_at,
        visit.events,
        event.event_type as entry_event_type,
        event.utm_source,
        event.utm_medium,
        event.utm_campaign
    from visit
    inner join event
        on visit.person_key = event.person_key and visit.body_key = event.body_key

)

select * from session
