{# A decimal(38, 15) divided by a whole number above 0, rounded half away from zero to 15
   digits; exact, whatever its size. #}
{% macro decimal_quotient(dividend, divisor) %}
    {{- adapter.dispatch('decimal_quotient', 'growth_data_plane')(dividend, divisor) -}}
{% endmacro %}

{# The whole and the fraction are counted apart: their sum in units of 10^-15 fits a HUGEINT,
   the decimal times 10^15 no decimal. #}
{% macro duckdb__decimal_quotient(dividend, divisor) -%}
    {%- set units -%}
        (
            cast({{ dividend }} - {{ dividend }} % 1 as hugeint) * 1000000000000000
            + cast({{ dividend }} % 1 * 1000000000000000 as hugeint)
        )
    {%- endset -%}
    cast(
        cast(
            (2 * {{ units }} + sign({{ dividend }}) * {{ divisor }}) // (2 * {{ divisor }})
            as decimal(38, 0)
        ) * cast(0.000000000000001 as decimal(15, 15)) as decimal(38, 15)
    )
{%- endmacro %}

{# A twelfth of a decimal(38, 15), rounded half away from zero to 15 digits. #}
{% macro monthly(yearly) %}{{ decimal_quotient(yearly, 12) }}{% endmacro %}

{# What part of a decimal(38, 15) another is, both 0 or more and the part at most the whole:
   rounded down to 12 digits, of amounts to 9 digits. Null where the whole is 0. #}
{% macro decimal_ratio(part, whole) %}
    {{- adapter.dispatch('decimal_ratio', 'growth_data_plane')(part, whole) -}}
{% endmacro %}

{% macro duckdb__decimal_ratio(part, whole) -%}
    cast(
        cast(
            cast(cast({{ part }} as decimal(38, 9)) * 1000000000 as hugeint)
            * 1000000000000
            // cast(nullif(cast({{ whole }} as decimal(38, 9)), 0) * 1000000000 as hugeint)
            as decimal(38, 0)
        ) * cast(0.000000000001 as decimal(12, 12)) as decimal(13, 12)
    )
{%- endmacro %}

{# A decimal with digits behind its point as text, without zeros at its end. #}
{% macro decimal_text(value) %}
    {{- adapter.dispatch('decimal_text', 'growth_data_plane')(value) -}}
{% endmacro %}

{% macro duckdb__decimal_text(value) -%}
    regexp_replace(cast({{ value }} as varchar), '[.]?0+$', '')
{%- endmacro %}
