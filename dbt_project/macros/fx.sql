{# An amount of a currency, a decimal of up to 15 digits, in the reporting currency: exact but
   for one rounding to 15 digits. The whole and the fraction are counted apart: their
   product with a rate of 12 digits would not fit a decimal. #}
{% macro reporting_amount(amount, rate) -%}
    cast(
        cast({{ amount }} - {{ amount }} % 1 as decimal(18, 0)) * {{ rate }}
        + cast(cast({{ amount }} % 1 as decimal(15, 15)) * {{ rate }} as decimal(24, 15))
        as decimal(38, 15)
    )
{%- endmacro %}

{# Whether a rate of fx_rate is the one of a currency on a day (UTC). #}
{% macro is_rate_of(rate, currency, day) -%}
    {{ currency }} = {{ rate }}.currency
    and {{ day }} >= {{ rate }}.valid_from
    and ({{ rate }}.valid_to is null or {{ day }} < {{ rate }}.valid_to)
{%- endmacro %}

{# Why an amount of a currency has no reporting amount; null where there is a rate. #}
{% macro unreported_because(currency, rate) -%}
    case
        when {{ rate }} is not null then null
        when {{ currency }} is null then 'no currency'
        else 'no rate'
    end
{%- endmacro %}
