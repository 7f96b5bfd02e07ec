-- Grain: one row per person seen by as_of.
{{ config(materialized='view') }}

with present as (

    {{ person_present(ref('build_info')) }}

),

-- Of the segments a person is in at as_of and whose past is known, the one of lowest
-- display_order.
active_stay as (

    select
        stay.person_key,
        min_by(stay.segment_id, (segment.display_order, stay.segment_id)) as segment
    from {{ ref('segment_stay') }} as stay
    inner join {{ ref('segment') }} as segment on stay.segment_id = segment.segment_id
    inner join {{ ref('build_info') }} as build on stay.entered_at <= build.as_of
    where
        segment.has_history
        and (stay.exited_at is null or stay.exited_at > build.as_of)
    group by stay.person_key

),

final as (

    select
        present.person_id,
        present.person_key,
        present.created_at,
        present.updated_at,
        present.email,
        present.name,
        present.company,
        present.industry,
        present.status,
        present.usage_status,
        present.billing_status,
        present.signup_date,
        present.first_action_date,
        present.last_action_date,
        active_stay.segment,
        present.cohort,
        present.source,
        present.medium,
        present.campaign,
        present.total_events,
        present.total_spent,
        present.last_event_at,
        present.metadata
    from present
    left join active_stay on present.person_key = active_stay.person_key

)

select * from final
