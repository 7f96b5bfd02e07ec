-- Grain: one row per published event of a person that lost a first event.
-- An event that first showed an identifier or an edge no longer counts; what the
-- person's identifiers are is read anew from all its events.
with displaced as (

    select body_key from {{ ref('int_event__displaced') }}

),

identifier as (

    select * from {{ before('int_identity__identifier', [
        'identifier_key bigint', 'body_key bigint', 'email_body_key bigint',
    ]) }}

),

edge as (

    select * from {{ before('int_identity__edge', [
        'left_key bigint', 'body_key bigint',
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

unproven as (

    select identifier_key from identifier
    where body_key in (select body_key from displaced)
    union
    select identifier_key from identifier
    where email_body_key in (select body_key from displaced)
    union
    select left_key from edge
    where body_key in (select body_key from displaced)

),

lost as (

    select published.person_key, published.body_key
    from published
    where
        published.person_key in (
            select owner.person_key
            from owner
            inner join unproven on owner.identifier_key = unproven.identifier_key
        )

)

select * from lost
