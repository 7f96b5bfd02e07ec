-- Grain: one row per identifier that ever was: the person its UUID resolves to.
{{ config(materialized='view') }}

with alias as (

    select identifier.alias_id, owner.person_id, owner.person_key
    from {{ ref('int_identity__identifier') }} as identifier
    inner join {{ ref('int_identity__owner') }} as owner
        on identifier.identifier_key = owner.identifier_key
    where owner.valid_from is null

)

select * from alias
