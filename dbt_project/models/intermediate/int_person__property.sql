-- Grain: one row per person, property and interval in which its value holds.
-- All properties but the segment, which follows from them.
{{ config(materialized='incremental', pre_hook="{{ forget_touched() }}") }}

with stat as (

    select * from {{ touched(ref('int_person__stat')) }}

),

first_touch as (

    select person_key, 'source' as property, source as value, first_seen_at from stat
    union all
    select person_key, 'medium', medium, first_seen_at from stat
    union all
    select person_key, 'campaign', campaign, first_seen_at from stat

),

property as (

    select person_key, property, value, value_type, valid_from, valid_to
    from {{ ref('int_person__trait') }}
    union all
    select person_key, 'usage_status', usage_status, 'text', valid_from, valid_to
    from {{ ref('int_person__usage') }}
    union all
    select person_key, 'status', status, 'text', valid_from, valid_to
    from {{ ref('int_person__status') }}
    union all
    select person_key, property, value, value_type, valid_from, valid_to
    from {{ ref('int_person__billing') }}
    union all
    select person_key, 'total_spent', value, 'number', valid_from, valid_to
    from {{ ref('int_person__spent') }}
    union all
    select
        person_key, 'signup_date', {{ iso_time('signup_at') }}, 'time', signup_at, null
    from stat
    union all
    select person_key, 'cohort', {{ cohort_of('signup_at') }}, 'text', signup_at, null
    from stat
    union all
    select person_key, property, value, 'text', first_seen_at, null
    from first_touch

),

known as (

    select * from property
    where value is not null

)

select * from known
