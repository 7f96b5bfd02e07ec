{# A number for an event that proves something: the smaller number is the better proof. It
   holds a rank of 0 or 1, the time and the body_key (60 bits), which decide in this order.
   Least numbers are found several times as fast as first rows. #}
{% macro proof(rank, moment, body_key) %}
    {{- adapter.dispatch('proof', 'growth_data_plane')(rank, moment, body_key) -}}
{% endmacro %}

{% macro duckdb__proof(rank, moment, body_key) -%}
    (
        (
            cast({{ rank }} as hugeint) * {{ proof_power(64) }}
            + epoch_us({{ moment }}) + {{ proof_power(62) }}
        ) * {{ proof_power(60) }} + {{ body_key }}
    )
{%- endmacro %}

{% macro proof_rank(number) %}
    {{- adapter.dispatch('proof_rank', 'growth_data_plane')(number) -}}
{% endmacro %}

{% macro duckdb__proof_rank(number) -%}
    cast({{ number }} >> 124 as integer)
{%- endmacro %}

{% macro proof_time(number) %}
    {{- adapter.dispatch('proof_time', 'growth_data_plane')(number) -}}
{% endmacro %}

{% macro duckdb__proof_time(number) -%}
    make_timestamptz(cast(
        (({{ number }} >> 60) & {{ proof_power(64) - 1 }}) - {{ proof_power(62) }} as bigint
    ))
{%- endmacro %}

{% macro proof_body(number) %}
    {{- adapter.dispatch('proof_body', 'growth_data_plane')(number) -}}
{% endmacro %}

{% macro duckdb__proof_body(number) -%}
    cast({{ number }} & {{ proof_power(60) - 1 }} as bigint)
{%- endmacro %}

{# A number for an identifier that may name a person: the smaller number was seen first, or
   in the same moment and is of smaller type. The key decides in the end. #}
{% macro naming(moment, id_type, key) %}
    {{- adapter.dispatch('naming', 'growth_data_plane')(moment, id_type, key) -}}
{% endmacro %}

{% macro duckdb__naming(moment, id_type, key) -%}
    (
        (
            (cast(epoch_us({{ moment }}) as hugeint) + {{ proof_power(62) }}) * 8
            + {{ type_number(id_type) }}
        ) * {{ proof_power(60) }} + {{ key }}
    )
{%- endmacro %}

{# The largest identifier_key that there can be. #}
{% macro largest_key() %}{{ return(proof_power(60) - 1) }}{% endmacro %}

{% macro proof_power(bits) %}{{ return(2 ** bits) }}{% endmacro %}
