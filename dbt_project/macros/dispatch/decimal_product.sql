{# Aggregate: the product of decimals for which the condition holds, as decimal(18, 12);
   1 where there are none. #}
{% macro decimal_product(value, condition) %}
    {{- adapter.dispatch('decimal_product', 'growth_data_plane')(value, condition) -}}
{% endmacro %}

{% macro duckdb__decimal_product(value, condition) -%}
    coalesce(list_reduce(
        list(cast({{ value }} as decimal(18, 12))) filter (where {{ condition }}),
        lambda product, factor: cast(product * factor as decimal(18, 12))
    ), 1)
{%- endmacro %}
