{# Each of the columns has a value in every row: one pass for all of them. #}
{% test no_nulls(model, columns) %}

select {{ columns | join(', ') }}
from {{ model }}
where
    {{ columns | join(' is null or ') }} is null

{% endtest %}
