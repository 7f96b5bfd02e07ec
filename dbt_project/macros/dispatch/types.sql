{# The type of a point in time (UTC). #}
{% macro time_type() %}
    {{- adapter.dispatch('time_type', 'growth_data_plane')() -}}
{% endmacro %}

{% macro duckdb__time_type() %}timestamptz{% endmacro %}

{# 2026-01-02T03:04:05.000006+00:00, as Python's isoformat(timespec='microseconds'). #}
{% macro iso_time(moment) %}
    {{- adapter.dispatch('iso_time', 'growth_data_plane')(moment) -}}
{% endmacro %}

{% macro duckdb__iso_time(moment) -%}
    strftime({{ moment }}, '%Y-%m-%dT%H:%M:%S.%f+00:00')
{%- endmacro %}

{# Microseconds since 1970 (UTC). #}
{% macro epoch_micros(moment) %}
    {{- adapter.dispatch('epoch_micros', 'growth_data_plane')(moment) -}}
{% endmacro %}

{% macro duckdb__epoch_micros(moment) %}epoch_us({{ moment }}){% endmacro %}
