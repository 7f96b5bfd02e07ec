-- Grain: one row per person, segment and stay [entered_at, exited_at).
-- Computed as if nothing more will happen; entries and exits that lie ahead are kept.
{{ config(materialized='incremental', pre_hook="{{ forget_stays() }}") }}

with all_event as (

    select person_key, event_type, occurred_at, is_action, properties
    from {{ ref('event') }}
    where person_key is not null

),

all_property as (

    select person_key, property, value, value_type, valid_from, valid_to
    from {{ ref('int_person__property') }}

),

all_alias as (

    select alias_id, person_key from {{ ref('person_alias') }}

),

touched_event as (

    select * from {{ touched('all_event') }}

),

touched_property as (

    select * from {{ touched('all_property') }}

),

touched_alias as (

    select * from {{ touched('all_alias') }}

),

person as (

    select person_key, person_id from {{ ref('int_person__profile') }}

),

interval_in as ({{ segment_intervals() }}),

stay as (

    select
        {{ uuid5_digest("person.person_id || '|' || interval_in.segment_id || '|' || "
            ~ iso_time('interval_in.entered_at')) }} as digest,
        {{ uuid5_of('digest') }} as membership_id,
        interval_in.person_key,
        interval_in.segment_id,
        interval_in.entered_at,
        interval_in.exited_at
    from interval_in
    inner join person on interval_in.person_key = person.person_key

),

final as (

    select membership_id, person_key, segment_id, entered_at, exited_at
    from stay

)

select * from final
