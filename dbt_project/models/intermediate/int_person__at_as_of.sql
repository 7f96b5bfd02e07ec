-- Grain: one row per person seen by as_of: its statistics and traits at that time.
{{ config(materialized='ephemeral') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

last_word as (

    select
        stat.person_key,
        stat.first_seen_at,
        greatest(
            stat.last_event_at, coalesce(profile.last_said_at, stat.last_event_at)
        ) as last_word_at
    from {{ ref('int_person__stat') }} as stat
    inner join {{ ref('int_person__profile') }} as profile
        on stat.person_key = profile.person_key

),

unsettled as (

    select last_word.person_key, build.as_of
    from last_word
    inner join build
        on
            last_word.last_word_at > build.as_of
            and last_word.first_seen_at <= build.as_of

),

-- Nearly everybody: nothing was said after as_of, so what is stored holds.
settled as (

    select stat.*
    from {{ ref('int_person__stat') }} as stat
    inner join build on stat.last_event_at <= build.as_of
    where stat.person_key not in (select person_key from unsettled)

),

event_by_then as (

    select event.*
    from {{ ref('event') }} as event
    inner join unsettled
        on
            event.person_key = unsettled.person_key
            and event.occurred_at <= unsettled.as_of

),

trait_then as (

    select property.*
    from {{ ref('person_property') }} as property
    inner join unsettled on property.person_key = unsettled.person_key
    where
        property.valid_from <= unsettled.as_of
        and (property.valid_to is null or property.valid_to > unsettled.as_of)

),

stat as (

    select * from settled
    union all
    {{ person_stats('event_by_then') }}

),

profile as (

    select person_key, email, name, company, industry, metadata
    from {{ ref('int_person__profile') }}
    where person_key not in (select person_key from unsettled)
    union all
    {{ person_profiles('trait_then') }}

),

person as (

    select
        stat.*,
        stored.person_id,
        profile.email,
        profile.name,
        profile.company,
        profile.industry,
        profile.metadata,
        build.as_of
    from stat
    inner join {{ ref('int_person__profile') }} as stored
        on stat.person_key = stored.person_key
    left join profile on stat.person_key = profile.person_key
    cross join build

)

select * from person
