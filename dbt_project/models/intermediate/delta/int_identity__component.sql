-- Grain: one row per affected identifier: the raw component it belongs to.
-- All edges but those of knots count, also those that will be refused: what is refused
-- depends on everything in the component.
{{ config(materialized='table') }}

with identifier as (

    select identifier_key, id_type, first_seen_at
    from {{ of_affected(ref('int_identity__identifier')) }} as known

),

edge as (

    select left_key, right_key from {{ joining_edges() }} as joining

),

component as (

    select * from {{ connected_components('edge') }}

),

final as (

    select
        identifier.identifier_key,
        identifier.id_type,
        identifier.first_seen_at,
        coalesce(component.label, identifier.identifier_key) as component_key
    from identifier
    left join component on identifier.identifier_key = component.node_key

)

select * from final
