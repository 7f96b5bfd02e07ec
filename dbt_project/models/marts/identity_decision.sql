-- Grain: one row per pair of identifiers that one event carried, or a hand rule links.
{{ config(materialized='view') }}

with identifier as (

    select * from {{ ref('int_identity__identifier') }}

),

named as (

    select
        judged.left_key,
        one.id_type as left_type,
        one.id_value as left_value,
        judged.right_key,
        other.id_type as right_type,
        other.id_value as right_value,
        judged.is_accepted,
        judged.refused_by,
        judged.trust,
        judged.observed_at,
        event.event_id
    from {{ ref('int_identity__judged') }} as judged
    inner join identifier as one on judged.left_key = one.identifier_key
    inner join identifier as other on judged.right_key = other.identifier_key
    left join {{ ref('event') }} as event on judged.body_key = event.body_key

)

select * from named
