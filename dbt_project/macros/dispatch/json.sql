{# The members of a JSON object in a column, one row each: all columns of the relation and
   entry_name, entry_value (its text; null for JSON null) and entry_type (text, number,
   boolean or json). #}
{% macro json_entries(relation, column) %}
    {{- adapter.dispatch('json_entries', 'growth_data_plane')(relation, column) -}}
{% endmacro %}

{% macro duckdb__json_entries(relation, column) -%}
    (
        select
            entry_of.*,
            entry.key as entry_name,
            json_extract_string(entry.value, '$') as entry_value,
            case entry.type
                when 'VARCHAR' then 'text'
                when 'BOOLEAN' then 'boolean'
                when 'OBJECT' then 'json'
                when 'ARRAY' then 'json'
                when 'NULL' then null
                else 'number'
            end as entry_type
        from {{ relation }} as entry_of, json_each(entry_of.{{ column }}) as entry
    )
{%- endmacro %}

{# The name of a JSON object's first member, and its value as text. #}
{% macro json_first_name(column) %}
    {{- adapter.dispatch('json_first_name', 'growth_data_plane')(column) -}}
{% endmacro %}

{% macro duckdb__json_first_name(column) -%}
    map_keys(cast(cast({{ column }} as json) as map(varchar, varchar)))[1]
{%- endmacro %}

{% macro json_first_value(column) %}
    {{- adapter.dispatch('json_first_value', 'growth_data_plane')(column) -}}
{% endmacro %}

{% macro duckdb__json_first_value(column) -%}
    map_values(cast(cast({{ column }} as json) as map(varchar, varchar)))[1]
{%- endmacro %}

{# A JSON object of texts without the members for which a predicate holds, a macro of the
   name (behind a prefix) and the value; null if none is left. #}
{% macro json_members_unless(column, predicate, prefix) %}
    {{- adapter.dispatch('json_members_unless', 'growth_data_plane')(
        column, predicate, prefix
    ) -}}
{% endmacro %}

{% macro duckdb__json_members_unless(column, predicate, prefix) -%}
    nullif(cast(to_json(map_from_entries(list_filter(
        map_entries(cast(cast({{ column }} as json) as map(varchar, varchar))),
        lambda member: not {{ predicate(prefix ~ ' || member.key', 'member.value') }}
    ))) as varchar), '{}')
{%- endmacro %}

{# Aggregate: the JSON object of those names and values (JSON texts) for which the condition
   holds, names in order; null if there are none. #}
{% macro json_object_of(name, value, condition) %}
    {{- adapter.dispatch('json_object_of', 'growth_data_plane')(name, value, condition) -}}
{% endmacro %}

{% macro duckdb__json_object_of(name, value, condition) -%}
    '{' || string_agg(
        {{ json_quote(name) }} || ':' || {{ value }}, ',' order by {{ name }}
    ) filter (where {{ condition }}) || '}'
{%- endmacro %}

{# The value of one member of a JSON object, as text; null if there is none. #}
{% macro json_text(column, name) %}
    {{- adapter.dispatch('json_text', 'growth_data_plane')(column, name) -}}
{% endmacro %}

{% macro duckdb__json_text(column, name) -%}
    json_extract_string({{ column }}, '$."{{ name }}"')
{%- endmacro %}

{# A text as a JSON string. #}
{% macro json_quote(text) %}
    {{- adapter.dispatch('json_quote', 'growth_data_plane')(text) -}}
{% endmacro %}

{% macro duckdb__json_quote(text) %}cast(to_json({{ text }}) as varchar){% endmacro %}

{# The columns of a relation and, of the JSON object in one of them, members as text: a
   column for each name in `fields`, which holds the first of its paths (a.b[0].c) that is
   there and not null. The object is parsed once for all of them. #}
{% macro json_fields(relation, column, fields) %}
    {{- adapter.dispatch('json_fields', 'growth_data_plane')(relation, column, fields) -}}
{% endmacro %}

{% macro duckdb__json_fields(relation, column, fields) -%}
    {%- set paths = [] -%}
    {%- for candidates in fields.values() -%}
        {%- do paths.extend(candidates) -%}
    {%- endfor -%}
    (
        select
            member_of.* exclude (json_member)
            {%- set place = namespace(last=0) -%}
            {%- for name, candidates in fields.items() -%},
            coalesce(
                {%- for path in candidates -%}
                {%- set place.last = place.last + 1 -%}
                json_member[{{ place.last }}]{{ ', ' if not loop.last }}
                {%- endfor -%}
            ) as {{ name }}
            {%- endfor %}
        from (
            select
                *,
                json_extract_string(
                    {{ column }}, ['$.{{ paths | join("', '$.") }}']
                ) as json_member
            from {{ relation }}
        ) as member_of
    )
{%- endmacro %}

{# A member of a JSON object as JSON text, by its path. #}
{% macro json_part(column, path) %}
    {{- adapter.dispatch('json_part', 'growth_data_plane')(column, path) -}}
{% endmacro %}

{% macro duckdb__json_part(column, path) -%}
    cast(json_extract({{ column }}, '$.{{ path }}') as varchar)
{%- endmacro %}

{# The elements of a JSON array in a column (of a lone object: that one), one row each: all
   columns of the relation, element (JSON text) and element_number, which begins at 0. #}
{% macro json_elements(relation, column) %}
    {{- adapter.dispatch('json_elements', 'growth_data_plane')(relation, column) -}}
{% endmacro %}

{% macro duckdb__json_elements(relation, column) -%}
    (
        select
            element_of.*,
            cast(element.value as varchar) as element,
            cast(element.key as bigint) as element_number
        from {{ relation }} as element_of, json_each(
            case
                when json_type({{ column }}) = 'ARRAY' then {{ column }}
                when json_type({{ column }}) = 'OBJECT' then '[' || {{ column }} || ']'
                else '[]'
            end
        ) as element
    )
{%- endmacro %}

{# Of a JSON array of objects, the one in which a whole number is largest, the first of
   several; as JSON text. Null for an empty array. #}
{% macro json_largest(column, name) %}
    {{- adapter.dispatch('json_largest', 'growth_data_plane')(column, name) -}}
{% endmacro %}

{% macro duckdb__json_largest(column, name) -%}
    cast(list_reduce(
        nullif(json_extract({{ column }}, '$[*]'), []),
        lambda best, next: case
            when
                coalesce(try_cast(json_extract_string(next, '$.{{ name }}') as bigint), 0)
                > coalesce(try_cast(json_extract_string(best, '$.{{ name }}') as bigint), 0)
                then next
            else best
        end
    ) as varchar)
{%- endmacro %}

{# The sum of a whole number of each object in a JSON array; null for none. #}
{% macro json_sum(column, name) %}
    {{- adapter.dispatch('json_sum', 'growth_data_plane')(column, name) -}}
{% endmacro %}

{% macro duckdb__json_sum(column, name) -%}
    cast(list_sum(
        try_cast(json_extract_string({{ column }}, '$[*].{{ name }}') as bigint[])
    ) as bigint)
{%- endmacro %}

{# The columns of a relation and, of the JSON object in one of them, members as JSON texts: a
   column for each name in `paths`, null where there is none, 'null' for JSON null. #}
{% macro json_parts(relation, column, paths) %}
    {{- adapter.dispatch('json_parts', 'growth_data_plane')(relation, column, paths) -}}
{% endmacro %}

{% macro duckdb__json_parts(relation, column, paths) -%}
    (
        select
            part_of.* exclude (json_member)
            {%- for name in paths %},
            cast(json_member[{{ loop.index }}] as varchar) as {{ name }}
            {%- endfor %}
        from (
            select
                *,
                json_extract(
                    {{ column }}, ['$.{{ paths.values() | join("', '$.") }}']
                ) as json_member
            from {{ relation }}
        ) as part_of
    )
{%- endmacro %}
