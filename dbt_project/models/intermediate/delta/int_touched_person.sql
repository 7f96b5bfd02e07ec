-- Grain: one row per person that this build makes again.
-- The owners, before and now, of every identifier that is affected.
with affected as (

    select * from {{ ref('int_identity__affected') }}

),

touched as (

    select before_key as person_key
    from affected
    where before_key is not null
    union
    select owner.person_key
    from {{ ref('int_identity__owner') }} as owner
    inner join affected on owner.identifier_key = affected.identifier_key

)

select * from touched
