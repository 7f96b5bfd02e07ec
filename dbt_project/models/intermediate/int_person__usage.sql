-- Grain: one row per person and interval of constant usage_status.
-- Computed as if nothing more will happen: inactive begins 30 days after the last
-- action, though that may lie ahead.
{{ config(materialized='ephemeral') }}

with stat as (

    select * from {{ touched(ref('int_person__stat')) }}

),

action as (

    select
        person_key,
        occurred_at,
        lag(occurred_at) over (
            partition by person_key order by occurred_at nulls last
        ) as previous_at
    from {{ touched(ref('event')) }}
    where is_action and person_key is not null

),

run as (

    select
        stat.person_key,
        action.occurred_at as started_at,
        {{ later(
            'coalesce(lead(action.previous_at) over in_time, stat.last_action_at)',
            days=30,
        ) }} as ended_at,
        lead(action.occurred_at) over in_time as next_started_at,
        stat.first_action_at
    from action
    inner join stat on action.person_key = stat.person_key
    where
        action.previous_at is null
        or action.occurred_at > {{ later('action.previous_at', days=30) }}
    window in_time as (
        partition by action.person_key order by action.occurred_at nulls last
    )

),

usage as (

    select
        person_key,
        'never' as usage_status,
        first_seen_at as valid_from,
        first_action_at as valid_to
    from stat
    where first_action_at is null or first_seen_at < first_action_at
    union all
    select person_key, 'new', first_action_at, {{ later('first_action_at', days=7) }}
    from stat
    where first_action_at is not null
    union all
    select
        person_key,
        'active',
        case
            when started_at = first_action_at then {{ later('started_at', days=7) }}
            else started_at
        end,
        ended_at
    from run
    union all
    select person_key, 'inactive', ended_at, next_started_at
    from run

)

select * from usage
