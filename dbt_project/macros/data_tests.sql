{# A data test's `where` may name the rows that an increment can have changed; when the
   build starts from nothing, or did not look for what is new (a selection of models by
   hand), the test looks at all rows. #}
{% macro get_where_subquery(relation) %}
    {%- set condition = config.get('where') -%}
    {%- set is_partial = execute and is_increment()
        and touched_person_relation() is not none -%}
    {%- if condition in ('__touched_person__', '__new_event__') and not is_partial -%}
        {{ return(relation) }}
    {%- elif condition == '__touched_person__' -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ is_touched() ~ ')') }}
    {%- elif condition == '__new_event__' -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ is_new_event() ~ ')') }}
    {%- elif condition -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ condition ~ ')') }}
    {%- endif -%}
    {{ return(relation) }}
{% endmacro %}

{# Conditions on a table with person_key, and on event. The table is named without ref(),
   which a test may not use for a model it does not declare; whatever a test looks at is
   downstream of it. #}
{% macro is_touched() -%}
    person_key in (select person_key from {{ touched_person_relation() }})
{%- endmacro %}

{% macro touched_person_relation() %}
    {{ return(adapter.get_relation(target.database, 'delta', 'int_touched_person')) }}
{% endmacro %}

{% macro is_new_event() -%}
    {{ is_of_new_batch() }}
{%- endmacro %}
