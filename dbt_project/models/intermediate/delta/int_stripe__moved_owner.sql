-- Grain: one row per customer of Stripe, and user of the application, who is another
-- person than in the published generation.
{%- set published = before('int_identity__owner', [
    'identifier_key bigint', 'person_key bigint',
]) %}

with owner as (

    select identifier_key, person_key
    from {{ of_affected(ref('int_identity__owner')) }}

),

published as (

    select identifier_key, person_key from {{ of_affected(published) }}

),

moved as (

    (
        select * from owner
        except
        select * from published
    )
    union all
    (
        select * from published
        except
        select * from owner
    )

),

-- One of which nothing tells any more is a published one alone.
identifier as (

    select identifier_key, id_type, id_value from {{ ref('int_identity__identifier') }}
    union all
    select identifier_key, id_type, id_value
    from {{ before('int_identity__identifier', [
        'identifier_key bigint', 'id_type string', 'id_value string',
    ]) }}

),

final as (

    select distinct id_type, id_value
    from identifier
    where
        id_type in ('stripe_id', 'user_id')
        {% if is_increment() %}
        and identifier_key in (select identifier_key from moved)
        {% endif %}

)

select * from final
