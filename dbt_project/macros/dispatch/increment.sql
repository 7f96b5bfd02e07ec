{# Whether this build adds to a published generation (else it starts from nothing). The
   working copy then is a copy of that generation, which is attached as `prev`.
   dbt's own is_incremental() asks about one model and is always false in views and
   ephemeral models. #}
{% macro is_increment() %}
    {{ return(adapter.dispatch('is_increment', 'growth_data_plane')()) }}
{% endmacro %}

{% macro default__is_increment() %}{{ return(false) }}{% endmacro %}

{% macro duckdb__is_increment() %}
    {% if not execute or flags.FULL_REFRESH %}{{ return(false) }}{% endif %}
    {% set working = adapter.get_relation(target.database, target.schema, 'build_info') %}
    {% set published = adapter.get_relation('prev', 'main', 'build_info') %}
    {{ return(working is not none and published is not none) }}
{% endmacro %}

{# Rows of a table as the published generation has them; none when the build starts from
   nothing, so that a full build is the increment that begins with an empty warehouse.
   columns: a list of 'name type'. #}
{% macro before(table, columns, schema='intermediate') %}
    {{- adapter.dispatch('before', 'growth_data_plane')(table, columns, schema) -}}
{% endmacro %}

{% macro duckdb__before(table, columns, schema) %}
    {%- if is_increment() -%}
    prev.{{ schema }}.{{ table }}
    {%- else -%}
    {{ default__before(table, columns, schema) }}
    {%- endif -%}
{% endmacro %}

{% macro default__before(table, columns, schema) -%}
    (
        select
        {%- for column in columns %}
            {%- set name, type = column.split(' ') %}
            cast(null as {{ time_type() if type == 'time' else type }}) as {{ name }}
            {{- ',' if not loop.last }}
        {%- endfor %}
        where false
    )
{%- endmacro %}

{# The rows that an increment looks at; all rows when the build starts from nothing. #}
{% macro looked_at(relation, predicate) %}
    {%- if is_increment() -%}
    (
        select * from {{ relation }}
        where {{ predicate }}
    )
    {%- else -%}
    {{ relation }}
    {%- endif -%}
{% endmacro %}

{# The rows of touched persons. #}
{% macro touched(relation) %}{{- looked_at(relation, is_made_again()) -}}{% endmacro %}

{# Pre-hook of a table that appends: takes out the rows that are about to be made again.
   A build that starts from nothing but finds the table (a build by hand that failed half
   way) empties it. #}
{% macro forget(predicate) %}
    {%- if execute and not flags.FULL_REFRESH and load_cached_relation(this) is not none -%}
    delete from {{ this }}{% if is_increment() %} where {{ predicate }}{% endif %}
    {%- endif -%}
{% endmacro %}

{% macro forget_touched() %}{{- forget(is_made_again()) -}}{% endmacro %}

{# The same as is_touched(), for models, which depend on what they read. #}
{% macro is_made_again() -%}
    person_key in (select person_key from {{ ref('int_touched_person') }})
{%- endmacro %}
