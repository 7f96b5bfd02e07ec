-- Grain: one row per published event that no longer counts.
-- Another body won over it, or another copy of a Meta event.
with repeat as (

    select * from {{ ref('int_event__repeat') }}
    where is_stored and not is_winner

),

copy as (

    select * from {{ ref('int_meta__match') }}
    where was_counted and not is_counted

),

published as (

    select * from {{ before('event', [
        'body_key bigint', 'person_key bigint',
    ], schema='main') }}

),

displaced as (

    select body_key, stored_person_key as person_key from repeat
    union
    select published.body_key, published.person_key
    from published
    inner join copy on published.body_key = copy.body_key

)

select * from displaced
