{# A row belongs to a person that is one now, and not to one that was merged into
   another. #}
{% test person_is_there(model) %}

select told.person_key
from {{ model }} as told
left join {{ ref('int_identity__owner') }} as owner
    on
        told.person_key = owner.identifier_key
        and owner.valid_from is null
where
    told.person_key is not null
    and told.person_key is distinct from owner.person_key

{% endtest %}
