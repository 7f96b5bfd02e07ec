{# A twelfth of a decimal(38, 15), rounded half away from zero to 15 digits. #}
{% macro monthly(yearly) %}
    {{- adapter.dispatch('monthly', 'growth_data_plane')(yearly) -}}
{% endmacro %}

{% macro duckdb__monthly(yearly) -%}
    cast(
        cast(
            (
                cast({{ yearly }} * 1000000000000000 as hugeint)
                + 6 * sign({{ yearly }})
            ) // 12
            as decimal(38, 0)
        ) * cast(0.000000000000001 as decimal(15, 15)) as decimal(38, 15)
    )
{%- endmacro %}
