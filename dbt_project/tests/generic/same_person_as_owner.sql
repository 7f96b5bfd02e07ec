{# Every event belongs to the person that owns its identifier. #}
{% test same_person_as_owner(model) %}

select event.source, event.event_id, event.person_key, owner.person_key as owner_key
from {{ model }} as event
left join {{ ref('int_identity__owner') }} as owner
    on
        event.identifier_key = owner.identifier_key
        and {{ owned_then('event', 'owner') }}
where event.person_key is distinct from owner.person_key

{% endtest %}
