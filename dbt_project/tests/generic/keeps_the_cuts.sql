{# Identifiers that are cut by hand have two persons. #}
{% test keeps_the_cuts(model) %}

select rule.left_key, rule.right_key
from {{ hand_rules() }} as rule
inner join {{ model }} as one on rule.left_key = one.identifier_key
inner join {{ model }} as other on rule.right_key = other.identifier_key
where
    rule.kind = 'cut'
    and one.valid_from is null
    and other.valid_from is null
    and one.person_key = other.person_key

{% endtest %}
