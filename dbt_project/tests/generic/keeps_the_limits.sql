{# No person has more identifiers of a type than one person may have. Whose a shared device
   was for a while does not count. An increment can have changed affected ones only. #}
{% test keeps_the_limits(model) %}

select owner.person_key
from {{ of_affected(model) }} as owner
inner join {{ ref('int_identity__identifier') }} as identifier
    on owner.identifier_key = identifier.identifier_key
where owner.valid_from is null
group by owner.person_key
having {{ breaks_a_limit() }}

{% endtest %}
