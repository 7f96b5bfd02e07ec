-- Grain: one row per person and interval of constant segment: of those that the person
-- is in, the one of lowest display_order. As if nothing more will happen.
{{ config(materialized='view') }}

with stay as (

    select
        stay.person_key,
        stay.segment_id,
        segment.display_order,
        stay.entered_at,
        stay.exited_at
    from {{ ref('segment_stay') }} as stay
    inner join {{ ref('segment') }} as segment on stay.segment_id = segment.segment_id
    where segment.has_history

),

boundary as (

    select person_key, entered_at as moment from stay
    union
    select person_key, exited_at from stay
    where exited_at is not null

),

span as (

    select
        boundary.person_key,
        boundary.moment,
        min_by(stay.segment_id, (stay.display_order, stay.segment_id)) as segment
    from boundary
    left join stay
        on
            boundary.person_key = stay.person_key
            and boundary.moment >= stay.entered_at
            and (stay.exited_at is null or boundary.moment < stay.exited_at)
    group by boundary.person_key, boundary.moment

),

compared as (

    select
        *,
        lag(segment) over (
            partition by person_key order by moment nulls last
        ) as segment_before
    from span

),

change as (

    select
        person_key,
        segment,
        moment as valid_from,
        lead(moment) over (
            partition by person_key order by moment nulls last
        ) as valid_to
    from compared
    where segment is distinct from segment_before

),

final as (

    select person_key, segment, valid_from, valid_to
    from change
    where segment is not null

)

select * from final
