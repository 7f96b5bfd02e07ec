{# No person has more identifiers of a type than one person may have. Whose a shared device
   was for a while does not count. An increment can have changed affected ones only. #}
{% test keeps_the_limits(model) %}

select owner.person_key
from {{ model }} as owner
inner join {{ ref('int_identity__identifier') }} as identifier
    on owner.identifier_key = identifier.identifier_key
inner join {{ ref('int_identity__affected') }} as affected
    on owner.identifier_key = affected.identifier_key
where owner.valid_from is null
group by owner.person_key
having {{ breaks_a_limit() }}

{% endtest %}
