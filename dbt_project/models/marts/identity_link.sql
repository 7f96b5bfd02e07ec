-- Grain: one row per identifier and interval in which it belongs to one person.
{{ config(materialized='view') }}

with link as (

    select
        identifier.alias_id as link_id,
        owner.person_id,
        owner.person_key,
        identifier.identifier_key,
        identifier.id_type,
        identifier.id_value,
        identifier.first_seen_at as created_at,
        identifier.event_id,
        identifier.identifier_key = owner.person_key as is_primary,
        identifier.first_seen_at as valid_from,
        cast(null as {{ time_type() }}) as valid_to
    from {{ ref('int_identity__identifier') }} as identifier
    inner join {{ ref('int_identity__owner') }} as owner
        on identifier.identifier_key = owner.identifier_key

)

select * from link
