-- Grain: one row per affected identifier: the person that its edges make it part of.
{{ config(materialized='ephemeral') }}

with component as (

    select * from {{ of_affected(ref('int_identity__component')) }} as found

),

contested as (

    select component_key from {{ ref('int_identity__contested') }}

),

accepted as (

    select left_key, right_key from {{ ref('int_identity__decision') }}
    where
        rule is null
        and component_key in (select component_key from contested)

),

part as (

    select * from {{ connected_components('accepted') }}

),

labelled as (

    select
        identifier.identifier_key,
        identifier.id_type,
        identifier.id_value,
        identifier.first_seen_at,
        component.component_key,
        case
            when contested.component_key is null then component.component_key
            else coalesce(part.label, identifier.identifier_key)
        end as label
    from {{ ref('int_identity__identifier') }} as identifier
    inner join component on identifier.identifier_key = component.identifier_key
    left join contested on component.component_key = contested.component_key
    left join part on identifier.identifier_key = part.node_key

),

-- A person is named after the identifier first seen.
survivor as (

    select
        label,
        min_by(identifier_key, (first_seen_at, id_type, id_value)) as person_key
    from labelled
    group by label

),

own as (

    select labelled.identifier_key, labelled.component_key, survivor.person_key
    from labelled
    inner join survivor on labelled.label = survivor.label

)

select * from own
