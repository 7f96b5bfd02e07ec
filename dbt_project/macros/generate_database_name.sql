{# What a build finds to be new has a database of its own where the engine can attach one
   (profiles.yml); elsewhere it is a schema of the warehouse. #}
{% macro generate_database_name(custom_database_name=none, node=none) %}
    {%- set database = custom_database_name if target.type == 'duckdb' else none -%}
    {{- default__generate_database_name(database, node) -}}
{% endmacro %}
