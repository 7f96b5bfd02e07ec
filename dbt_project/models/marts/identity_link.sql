-- Grain: one row per identifier and interval in which it belongs to one person.
{{ config(materialized='view') }}

with link as (

    select
        case
            when owner.valid_from is null then {{ alias_of('identifier') }}
            else {{ uuid5_of(uuid5_digest(
                alias_of('identifier') ~ " || '@' || "
                ~ epoch_micros('owner.valid_from')
            )) }}
        end as link_id,
        {{ alias_of('survivor') }} as person_id,
        owner.person_key,
        identifier.identifier_key,
        identifier.id_type,
        identifier.id_value,
        identifier.first_seen_at as created_at,
        event.event_id,
        identifier.identifier_key = owner.person_key
        and owner.valid_from is null as is_primary,
        coalesce(owner.valid_from, identifier.first_seen_at) as valid_from,
        owner.valid_to
    from {{ ref('int_identity__identifier') }} as identifier
    inner join {{ ref('int_identity__owner') }} as owner
        on identifier.identifier_key = owner.identifier_key
    left join {{ ref('int_identity__identifier') }} as survivor
        on owner.person_key = survivor.identifier_key
    left join {{ ref('event') }} as event on identifier.body_key = event.body_key
    -- A device that a user was the first to be seen with has no time of its own.
    where
        owner.valid_from is not null
        or owner.valid_to is null
        or owner.valid_to > identifier.first_seen_at

)

select * from link
