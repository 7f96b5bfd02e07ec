-- Grain: one row per affected identifier: the person that its edges make it part of.
{{ config(materialized='ephemeral') }}

with component as (

    select * from {{ ref('int_identity__component') }}

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
        component.identifier_key,
        component.component_key,
        component.first_seen_at,
        component.id_type,
        case
            when contested.component_key is null then component.component_key
            else coalesce(part.label, component.identifier_key)
        end as label
    from component
    left join contested on component.component_key = contested.component_key
    left join part on component.identifier_key = part.node_key

),

-- A person is named after the identifier first seen, of those after the one of smallest
-- type. Where several are left, one has the smallest key, another one the largest.
first_seen as (

    select
        label,
        min({{ naming('first_seen_at', 'id_type', 'identifier_key') }}) as naming,
        min({{ naming(
            'first_seen_at', 'id_type', largest_key() ~ ' - identifier_key'
        ) }}) as last_naming
    from labelled
    group by label

),

tied as (

    select label, naming from first_seen
    where
        {{ proof_body('naming') }}
        <> {{ largest_key() }} - {{ proof_body('last_naming') }}

),

named as (

    select
        labelled.label,
        min_by(labelled.identifier_key, (identifier.id_type, identifier.id_value))
            as person_key
    from labelled
    inner join tied
        on
            labelled.label = tied.label
            and {{ naming('labelled.first_seen_at', 'labelled.id_type', 0) }}
            = tied.naming - {{ proof_body('tied.naming') }}
    inner join {{ ref('int_identity__identifier') }} as identifier
        on labelled.identifier_key = identifier.identifier_key
    group by labelled.label

),

survivor as (

    select
        first_seen.label,
        coalesce(named.person_key, {{ proof_body('first_seen.naming') }}) as person_key
    from first_seen
    left join named on first_seen.label = named.label

),

own as (

    select labelled.identifier_key, labelled.component_key, survivor.person_key
    from labelled
    inner join survivor on labelled.label = survivor.label

)

select * from own
