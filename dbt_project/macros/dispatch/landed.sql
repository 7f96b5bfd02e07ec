{# The landed rows of a kind: those that are new to this build, or all of them when the
   build starts from nothing or `history` is asked for. Each has the number of its row in
   its file (file_row_number). In a build of what was known at a past moment: those that had
   been received by then. #}
{% macro landed(name, history=false) %}
    {{- adapter.dispatch('landed', 'growth_data_plane')(name, history) -}}
{% endmacro %}

{% macro duckdb__landed(name, history) %}
    {%- set folder = 'new' if is_increment() and not history else 'all' -%}
    {%- set known = received_by_then(name) -%}
    {%- if known %}(
    select * from
    {% endif -%}
    read_parquet(
        '../landing/{{ folder }}/{{ name }}/*.parquet',
        union_by_name = true,
        file_row_number = true
    )
    {%- if known %}
    where {{ known }}
    ){% endif %}
{%- endmacro %}
