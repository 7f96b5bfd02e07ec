-- Grain: one row per person, segment and stay that began by as_of.
{{ config(materialized='view') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

stay as (

    select
        stay.*,
        build.as_of,
        stay.exited_at is null or stay.exited_at > build.as_of as is_active
    from {{ ref('segment_stay') }} as stay
    inner join build on stay.entered_at <= build.as_of

),

-- When an active stay will end is known as if nothing more happens: once more has
-- happened, that forecast is gone.
membership as (

    select
        stay.membership_id,
        profile.person_id,
        stay.person_key,
        stay.segment_id,
        stay.entered_at,
        case when not stay.is_active then stay.exited_at end as exited_at,
        case
            when stay.is_active and stat.last_event_at <= stay.as_of then stay.exited_at
        end as expires_at,
        stay.is_active,
        cast(null as string) as metadata
    from stay
    inner join {{ ref('int_person__profile') }} as profile
        on stay.person_key = profile.person_key
    inner join {{ ref('int_person__stat') }} as stat
        on stay.person_key = stat.person_key

)

select * from membership
