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

{# The time of a text of whole seconds since 1970; null for any other text. #}
{% macro epoch_time(text) %}
    {{- adapter.dispatch('epoch_time', 'growth_data_plane')(text) -}}
{% endmacro %}

{% macro duckdb__epoch_time(text) -%}
    case
        when regexp_full_match({{ text }}, '[0-9]{1,11}')
            then make_timestamptz(cast({{ text }} as bigint) * 1000000)
    end
{%- endmacro %}

{# An e-mail address as landing writes it (trimmed, NFC, lower case); null for any other
   text. #}
{% macro address_of(text) %}
    {{- adapter.dispatch('address_of', 'growth_data_plane')(text) -}}
{% endmacro %}

{% macro duckdb__address_of(text) -%}
    case
        when regexp_full_match(trim({{ text }}), '[^@\s]+@[^@\s]+')
            then lower(nfc_normalize(trim({{ text }})))
    end
{%- endmacro %}

{# An identifier as landing writes it (trimmed, NFC); null for an empty or overlong text. #}
{% macro identifier_of(text) %}
    {{- adapter.dispatch('identifier_of', 'growth_data_plane')(text) -}}
{% endmacro %}

{% macro duckdb__identifier_of(text) -%}
    case
        when strlen(trim({{ text }})) between 1 and 256 then nfc_normalize(trim({{ text }}))
    end
{%- endmacro %}
