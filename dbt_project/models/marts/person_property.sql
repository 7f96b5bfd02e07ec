-- Grain: one row per person, property and interval in which its value holds.
-- Future changes are kept; a reader asks for the interval that holds at as_of.
{{ config(materialized='view') }}

with property as (

    select person_key, property, value, value_type, valid_from, valid_to
    from {{ ref('int_person__property') }}
    union all
    select person_key, 'segment', segment, 'text', valid_from, valid_to
    from {{ ref('int_person__segment') }}

)

select * from property
