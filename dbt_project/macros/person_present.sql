{# Persons seen by as_of and what is known of them then: all of person but its segment,
   which queries of segments may therefore read. build: a relation with as_of. #}
{% macro person_present(build) %}
    with at_as_of as (

        {{ person_at_as_of(build) }}

    ),

    person as (

        select
            *,
            case
                when first_action_at is null then 'never'
                when first_action_at > {{ earlier('as_of', days=7) }} then 'new'
                when last_action_at > {{ earlier('as_of', days=30) }} then 'active'
                else 'inactive'
            end as usage_status
        from at_as_of

    ),

    held as (

        select
            property.person_key,
            max(property.value) filter (where property.property = 'status') as status,
            max(property.value) filter (
                where property.property = 'billing_status'
            ) as billing_status,
            max(property.value) filter (
                where property.property = 'total_spent'
            ) as total_spent
        from {{ ref('int_person__property') }} as property
        inner join {{ build }} as build on property.valid_from <= build.as_of
        where
            property.property in ('status', 'billing_status', 'total_spent')
            and (property.valid_to is null or property.valid_to > build.as_of)
        group by property.person_key

    ),

    -- Of whom it is not known what they have spent; all others have spent nothing or that.
    unclear as (

        select distinct line.person_key
        from {{ ref('int_revenue__line') }} as line
        inner join {{ build }} as build
            on coalesce(line.occurred_at <= build.as_of, true)
        where line.is_revenue and line.livemode and line.reporting_amount is null

    ),

    final as (

        select
            person.person_id,
            person.person_key,
            person.first_seen_at as created_at,
            person.last_event_at as updated_at,
            person.email,
            person.name,
            person.company,
            person.industry,
            held.status,
            person.usage_status,
            held.billing_status,
            person.signup_at as signup_date,
            person.first_action_at as first_action_date,
            person.last_action_at as last_action_date,
            {{ cohort_of('person.signup_at') }} as cohort,
            person.source,
            person.medium,
            person.campaign,
            person.total_events,
            case
                when unclear.person_key is null
                    then cast(coalesce(held.total_spent, '0') as decimal(38, 15))
            end as total_spent,
            person.last_event_at,
            person.metadata
        from person
        left join held on person.person_key = held.person_key
        left join unclear on person.person_key = unclear.person_key

    )

    select * from final
{% endmacro %}

{# Their statistics and traits at that time. #}
{% macro person_at_as_of(build) %}
    with build as (

        select as_of from {{ build }}

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
        from {{ ref('int_person__property') }} as property
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
{% endmacro %}
