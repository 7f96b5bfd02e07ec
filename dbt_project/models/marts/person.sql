-- Grain: one row per person seen by as_of.
{{ config(materialized='view') }}

with person as (

    select
        *,
        case
            when first_action_at is null then 'never'
            when first_action_at > as_of - interval '7' day then 'new'
            when last_action_at > as_of - interval '30' day then 'active'
            else 'inactive'
        end as usage_status
    from {{ ref('int_person__at_as_of') }}

),

-- Of the segments a person is in at as_of, the one of lowest display_order.
active_stay as (

    select
        stay.person_key,
        min_by(stay.segment_id, (segment.display_order, stay.segment_id)) as segment
    from {{ ref('segment_stay') }} as stay
    inner join {{ ref('segment') }} as segment on stay.segment_id = segment.segment_id
    inner join {{ ref('build_info') }} as build on stay.entered_at <= build.as_of
    where stay.exited_at is null or stay.exited_at > build.as_of
    group by stay.person_key

),

held as (

    select
        property.person_key,
        max(property.value) filter (where property.property = 'status') as status,
        max(property.value) filter (
            where property.property = 'billing_status'
        ) as billing_status
    from {{ ref('person_property') }} as property
    inner join {{ ref('build_info') }} as build on property.valid_from <= build.as_of
    where
        property.property in ('status', 'billing_status')
        and (property.valid_to is null or property.valid_to > build.as_of)
    group by property.person_key

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
        active_stay.segment,
        {{ cohort_of('person.signup_at') }} as cohort,
        person.source,
        person.medium,
        person.campaign,
        person.total_events,
        cast(0 as decimal(18, 2)) as total_spent,
        person.last_event_at,
        person.metadata
    from person
    left join active_stay on person.person_key = active_stay.person_key
    left join held on person.person_key = held.person_key

)

select * from final
