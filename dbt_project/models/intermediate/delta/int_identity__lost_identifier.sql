-- Grain: one row per identifier that lost a proof.
-- An event that first showed an identifier or an edge no longer counts; what is known
-- of the identifiers that hung together with it is read anew.
with displaced as (

    select body_key from {{ ref('int_event__displaced') }}

),

identifier as (

    select * from {{ before('int_identity__identifier', [
        'identifier_key bigint', 'body_key bigint', 'email_body_key bigint',
    ]) }}

),

edge as (

    select left_key, right_key
    from {{ before('int_identity__edge', [
        'left_key bigint', 'right_key bigint', 'body_key bigint',
    ]) }}
    where body_key in (select body_key from displaced)

),

component as (

    select identifier_key, component_key from {{ before('int_identity__owner', [
        'identifier_key bigint', 'component_key bigint', 'valid_from time',
    ]) }}
    where valid_from is null

),

unproven as (

    select identifier_key from identifier
    where body_key in (select body_key from displaced)
    union
    select identifier_key from identifier
    where email_body_key in (select body_key from displaced)
    union
    select left_key from edge
    union
    select right_key from edge

),

touched as (

    select component.component_key
    from component
    inner join unproven on component.identifier_key = unproven.identifier_key

),

lost as (

    select identifier_key from component
    where component_key in (select component_key from touched)

)

select * from lost
