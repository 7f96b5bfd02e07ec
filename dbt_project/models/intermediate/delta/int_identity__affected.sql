-- Grain: one row per identifier whose person is looked for again.
-- depends_on: {{ ref('int_identity__identifier') }}
-- What new rows carry, what an event displaced by another body had, and all that hung
-- together with them, on refused paths, too: it may hang together otherwise now.
with carried as (

    select distinct identifier_key from {{ ref('int_identity__member') }}

),

hand as (

    select * from {{ hand_rules() }} as rule
    where kind = 'link'

),

seen as (

    select identifier_key from carried
    union
    select hand.left_key
    from hand
    inner join carried on hand.right_key = carried.identifier_key
    union
    select hand.right_key
    from hand
    inner join carried on hand.left_key = carried.identifier_key

),

published as (

    select * from {{ before('int_identity__owner', [
        'identifier_key bigint', 'component_key bigint', 'person_key bigint',
    ]) }}

),

component as (

    select published.component_key
    from published
    inner join seen on published.identifier_key = seen.identifier_key
    union
    select published.component_key
    from published
    inner join {{ ref('int_identity__lost_identifier') }} as lost
        on published.identifier_key = lost.identifier_key
    union
    select published.component_key
    from published
    inner join {{ ref('int_event__displaced') }} as displaced
        on published.person_key = displaced.person_key

),

person as (

    select published.person_key
    from published
    inner join component on published.component_key = component.component_key

),

-- A shared device is a component by itself; it belongs to each user for a while.
reached as (

    select component_key from component
    union
    select component_key from published
    where person_key in (select person_key from person)

),

affected as (

    {% if is_increment() %}
    select identifier_key from seen
    union
    select identifier_key from published
    where component_key in (select component_key from reached)
    {% else %}
    select identifier_key from {{ ref('int_identity__identifier') }}
    {% endif %}

)

select * from affected
