-- Grain: one row per published event that is read anew.
-- The events of all persons that own an identifier which lost a proof, or one that was
-- ever seen with it.
with lost as (

    select identifier_key from {{ ref('int_identity__lost_identifier') }}

),

edge as (

    select * from {{ before('int_identity__edge', [
        'left_key bigint', 'right_key bigint',
    ]) }}

),

owner as (

    select * from {{ before('int_identity__owner', [
        'identifier_key bigint', 'person_key bigint',
    ]) }}

),

published as (

    select * from {{ before('event', [
        'body_key bigint', 'person_key bigint',
    ], schema='main') }}

),

near as (

    select identifier_key from lost
    union
    select edge.right_key
    from edge
    inner join lost on edge.left_key = lost.identifier_key
    union
    select edge.left_key
    from edge
    inner join lost on edge.right_key = lost.identifier_key

),

event as (

    select published.person_key, published.body_key
    from published
    where
        published.person_key in (
            select owner.person_key
            from owner
            inner join near on owner.identifier_key = near.identifier_key
        )

)

select * from event
