{# A data test's `where` may name the rows that an increment can have changed; when the
   build starts from nothing, or did not look for what is new (a selection of models by
   hand), the test looks at all rows. #}
{% macro get_where_subquery(relation) %}
    {%- set condition = config.get('where') -%}
    {%- if condition in ('__touched_person__', '__touched_payer__', '__new_event__')
        and not is_partial() -%}
        {{ return(relation) }}
    {%- elif condition == '__touched_person__' -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ is_touched() ~ ')') }}
    {%- elif condition == '__touched_payer__' -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ is_touched_payer() ~ ')') }}
    {%- elif condition == '__new_event__' -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ is_new_event() ~ ')') }}
    {%- elif condition -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ condition ~ ')') }}
    {%- endif -%}
    {{ return(relation) }}
{% endmacro %}

{# Whether a test may look at what this build has made again alone. #}
{% macro is_partial() %}
    {{ return(execute and is_increment() and delta_relation('int_touched_person')) }}
{% endmacro %}

{# Conditions on a table with person_key, with payer, and on event. The tables are named
   without ref(), which a test may not use for a model it does not declare; whatever a test
   looks at is downstream of them. #}
{% macro is_touched() -%}
    person_key in (select person_key from {{ delta_relation('int_touched_person') }})
{%- endmacro %}

{% macro is_touched_payer() -%}
    payer in (select payer from {{ delta_relation('int_mrr__touched_payer') }})
{%- endmacro %}

{% macro delta_relation(name) %}
    {%- set database = generate_database_name('scratch') | trim -%}
    {{ return(adapter.get_relation(database, 'delta', name)) }}
{% endmacro %}

{% macro is_new_event() -%}
    {{ is_of_new_batch() }}
{%- endmacro %}
