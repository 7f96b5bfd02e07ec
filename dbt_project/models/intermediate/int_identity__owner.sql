-- Grain: one row per identifier: the person it belongs to.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='identifier_key',
    pre_hook="{{ forget_lost('identifier_key') }}",
) }}

with affected as (

    select identifier_key from {{ ref('int_identity__affected') }}

),

identifier as (

    select * from {{ ref('int_identity__identifier') }}
    where identifier_key in (select identifier_key from affected)

),

edge as (

    select left_key, right_key from {{ ref('int_identity__edge') }}
    where left_key in (select identifier_key from affected)

),

component as (

    select * from {{ connected_components('edge') }}

),

labelled as (

    select
        identifier.*,
        coalesce(component.label, identifier.identifier_key) as label
    from identifier
    left join component on identifier.identifier_key = component.node_key

),

-- A person is named after the identifier first seen.
survivor as (

    select
        label,
        min_by(identifier_key, (first_seen_at, id_type, id_value)) as person_key,
        min_by(alias_id, (first_seen_at, id_type, id_value)) as person_id
    from labelled
    group by label

),

owner as (

    select labelled.identifier_key, survivor.person_key, survivor.person_id
    from labelled
    inner join survivor on labelled.label = survivor.label

)

select * from owner
