-- Grain: one row per identifier that ever was: the person its UUID resolves to.
{{ config(materialized='view') }}

with alias as (

    select
        {{ alias_of('identifier') }} as alias_id,
        {{ alias_of('survivor') }} as person_id,
        owner.person_key
    from {{ ref('int_identity__identifier') }} as identifier
    inner join {{ ref('int_identity__owner') }} as owner
        on identifier.identifier_key = owner.identifier_key
    left join {{ ref('int_identity__identifier') }} as survivor
        on owner.person_key = survivor.identifier_key
    where owner.valid_from is null

)

select * from alias
