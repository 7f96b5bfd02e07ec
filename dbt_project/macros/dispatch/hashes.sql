{# A 64-bit hash of some columns, for finding equal rows within one statement. It is never
   stored: engines and versions differ. #}
{% macro row_hash(columns) %}
    {{- adapter.dispatch('row_hash', 'growth_data_plane')(columns) -}}
{% endmacro %}

{% macro duckdb__row_hash(columns) %}hash({{ columns | join(', ') }}){% endmacro %}

{# SHA-256 of a text's UTF-8 bytes, lower-case hexadecimal. #}
{% macro sha256_hex(text) %}
    {{- adapter.dispatch('sha256_hex', 'growth_data_plane')(text) -}}
{% endmacro %}

{% macro duckdb__sha256_hex(text) %}sha256({{ text }}){% endmacro %}

{# The SHA-1 from which the UUIDv5 of a name is made, in hexadecimal: of the namespace's
   bytes (uuid5 of 'growth-data-plane' in the URL namespace) and the name's UTF-8 bytes. #}
{% macro uuid5_digest(name) %}
    {{- adapter.dispatch('uuid5_digest', 'growth_data_plane')(
        name, 'd8b6e7dfc908524e8343f6b5da857d8d'
    ) -}}
{% endmacro %}

{% macro duckdb__uuid5_digest(name, namespace) -%}
    sha1(unhex('{{ namespace }}') || encode({{ name }}))
{%- endmacro %}

{# The UUIDv5 (RFC 9562, section 5.5) of a digest: version and variant bits set. #}
{% macro uuid5_of(digest) -%}
    substring({{ digest }}, 1, 8)
    || '-' || substring({{ digest }}, 9, 4)
    || '-5' || substring({{ digest }}, 14, 3)
    || '-' || substring(
        '89ab89ab89ab89ab',
        position(substring({{ digest }}, 17, 1) in '0123456789abcdef'), 1
    ) || substring({{ digest }}, 18, 3)
    || '-' || substring({{ digest }}, 21, 12)
{%- endmacro %}

{# The integer that stands for a UUIDv5 in the warehouse: its first 15 hexadecimal digits, of
   which the 13th is the version. #}
{% macro key_of(digest) %}
    {{- adapter.dispatch('key_of', 'growth_data_plane')(digest) -}}
{% endmacro %}

{% macro duckdb__key_of(digest) -%}
    (
        (cast('0x' || substring({{ digest }}, 1, 15) as bigint) & ~{{ 15 * 16 ** 2 }})
        | {{ 5 * 16 ** 2 }}
    )
{%- endmacro %}
