{# The landed rows of a kind: those that are new to this build, or all of them when the
   build starts from nothing or `history` is asked for. Each has the number of its row in
   its file (file_row_number). #}
{% macro landed(name, history=false) %}
    {{- adapter.dispatch('landed', 'growth_data_plane')(name, history) -}}
{% endmacro %}

{% macro duckdb__landed(name, history) %}
    {%- set folder = 'new' if is_increment() and not history else 'all' -%}
    read_parquet(
        '../landing/{{ folder }}/{{ name }}/*.parquet',
        union_by_name = true,
        file_row_number = true
    )
{%- endmacro %}
