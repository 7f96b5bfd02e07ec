{# Every edge of a component in which a rule may bite has a decision. #}
{% test decides_every_edge(model) %}

select joining.left_key, joining.right_key
from {{ joining_edges() }} as joining
inner join {{ ref('int_identity__component') }} as component
    on joining.left_key = component.identifier_key
inner join {{ ref('int_identity__contested') }} as contested
    on component.component_key = contested.component_key
anti join {{ model }} as decision
    on
        joining.left_key = decision.left_key
        and joining.right_key = decision.right_key

{% endtest %}
