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

{# A point in time a fixed length later, and earlier. #}
{% macro later(moment, days=0, hours=0, minutes=0) %}
    {{- moved_by(moment, ((days * 24 + hours) * 60 + minutes) * 60) -}}
{% endmacro %}

{% macro earlier(moment, days=0, hours=0, minutes=0) %}
    {{- moved_by(moment, -((days * 24 + hours) * 60 + minutes) * 60) -}}
{% endmacro %}

{% macro moved_by(moment, seconds) %}
    {{- adapter.dispatch('moved_by', 'growth_data_plane')(moment, seconds) -}}
{% endmacro %}

{% macro default__moved_by(moment, seconds) -%}
    {{ moment }} + interval '{{ seconds }}' second
{%- endmacro %}

{# As a number: an interval added to a TIMESTAMPTZ asks the calendar of each row, at forty
   times the cost. #}
{% macro duckdb__moved_by(moment, seconds) -%}
    make_timestamptz(epoch_us({{ moment }}) + {{ seconds * 1000000 }})
{%- endmacro %}

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
