{# No currency is used on days on which it has no rate to the reporting currency. #}
{% test every_currency_has_a_rate(model) %}

select currency, used_from, rate_from from {{ model }}

{% endtest %}
