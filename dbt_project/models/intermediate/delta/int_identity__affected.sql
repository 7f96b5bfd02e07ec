-- Grain: one row per identifier whose person is looked for again.
-- What new rows carry, what an event displaced by another body had, and all that hung
-- together with them: it may hang together otherwise now.
{{ config(materialized='ephemeral') }}

with seen as (

    select distinct identifier_key from {{ ref('int_identity__member') }}

),

published as (

    select * from {{ before('int_identity__owner', [
        'identifier_key bigint', 'person_key bigint',
    ]) }}

),

person as (

    select published.person_key
    from published
    inner join seen on published.identifier_key = seen.identifier_key
    union
    select person_key from {{ ref('int_identity__lost') }}
    union
    select person_key from {{ ref('int_event__displaced') }}
    where person_key is not null

),

affected as (

    select seen.identifier_key, published.person_key as before_key
    from seen
    left join published on seen.identifier_key = published.identifier_key
    union
    select published.identifier_key, published.person_key
    from published
    inner join person on published.person_key = person.person_key

)

select * from affected
