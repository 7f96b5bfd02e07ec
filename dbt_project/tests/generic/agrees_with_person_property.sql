{# A person's status at as_of is the interval of person_property that holds then. #}
{% test agrees_with_person_property(model, column_name) %}

with build as (

    select as_of from {{ ref('build_info') }}

),

held as (

    select property.person_key, property.value
    from {{ touched(ref('person_property')) }} as property
    inner join build on property.valid_from <= build.as_of
    where
        property.property = '{{ column_name }}'
        and (property.valid_to is null or property.valid_to > build.as_of)

),

person as (

    select person_key, {{ column_name }} as value from {{ touched(model) }} as person

)

select coalesce(person.person_key, held.person_key) as person_key
from person
full join held on person.person_key = held.person_key
where person.value is distinct from held.value

{% endtest %}
