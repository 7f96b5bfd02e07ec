{# The revenue policies; a build replaces this file. #}
{% macro default_policy() %}{{ return("gdp") }}{% endmacro %}
{% macro reporting_currency() %}{{ return("usd") }}{% endmacro %}
{% macro revenue_policies() %}
    {{ return([
        {"name": "gdp", "statuses": ["active", "past_due"], "durations": ["forever", "repeating"]},
        {"name": "stripe", "statuses": ["active", "past_due", "paused"], "durations": ["forever"]},
        {"name": "chartmogul", "statuses": ["active", "past_due"], "durations": ["forever", "repeating", "once"]}
    ]) }}
{% endmacro %}
