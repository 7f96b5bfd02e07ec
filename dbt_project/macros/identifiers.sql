{# Types of identifier whose column holds the value as it is; e-mails and custom
   identifiers are apart. #}
{% macro plain_identifiers() %}
    {{ return([
        'user_id', 'stripe_id', 'google_id', 'github_id', 'anonymous_id', 'device_id',
    ]) }}
{% endmacro %}

{# A column of identifiers without those that identify nobody (is_blocked, generated from the
   identity rules). An address goes by its hash. #}
{% macro identifier(column) -%}
    {%- if column == 'custom_ids' -%}
    {{ json_members_unless(column, is_blocked, "'custom:'") }}
    {%- else -%}
    {%- set id_type = {'email': 'address', 'email_sha256': 'email'}.get(column, column) -%}
    case when not {{ is_blocked("'" ~ id_type ~ "'", column) }} then {{ column }} end
    {%- endif -%}
{%- endmacro %}

{% macro select_identifiers(relation) -%}
    select
        {% for column in plain_identifiers() + ['email', 'email_sha256', 'custom_ids'] %}
        {{ identifier(column) }} as {{ column }},
        {% endfor %}
        occurred_at, event_id, body_key
    from {{ relation }}
{%- endmacro %}

{# One row per identifier of each row of a relation. An e-mail goes by its SHA-256, so that
   both forms are one identifier. #}
{% macro unpivot_identifiers(relation) %}
    {% for type in plain_identifiers() %}
    select
        body_key,
        '{{ type }}' as id_type,
        {{ type }} as id_value,
        cast(null as string) as email,
        first_seen_at,
        event_id
    from {{ relation }}
    where {{ type }} is not null
    union all
    {% endfor %}
    select body_key, 'email', {{ sha256_hex('email') }}, email, first_seen_at, event_id
    from {{ relation }}
    where email is not null
    union all
    select body_key, 'email', email_sha256, null, first_seen_at, event_id
    from {{ relation }}
    where email_sha256 is not null
    union all
    select
        body_key, 'custom:' || entry_name, entry_value, null, first_seen_at, event_id
    from {{ json_entries('(select * from ' ~ relation ~ ' where custom_ids is not null)',
        'custom_ids') }} as custom
    where entry_value is not null
{% endmacro %}

{# Types of identifier in the order in which they speak for an event that carries several;
   custom ones come last. #}
{% macro speaking_order() %}
    {{ return([
        'user_id', 'email', 'stripe_id', 'google_id', 'github_id', 'anonymous_id',
        'device_id',
    ]) }}
{% endmacro %}

{# The type of the identifier that speaks for an event. #}
{% macro first_identifier_type() -%}
    {%- set custom = identifier('custom_ids') -%}
    case
        {% for type in speaking_order() %}
        when {{ speaking_value(type) }} is not null then '{{ type }}'
        {% endfor %}
        when {{ custom }} is not null then 'custom:' || {{ json_first_name(custom) }}
    end
{%- endmacro %}

{% macro first_identifier_value() -%}
    coalesce(
        {% for type in speaking_order() %}
        {{ speaking_value(type) }},
        {% endfor %}
        {{ json_first_value(identifier('custom_ids')) }}
    )
{%- endmacro %}

{% macro speaking_value(type) -%}
    {%- if type == 'email' -%}
    coalesce({{ sha256_hex(identifier('email')) }}, {{ identifier('email_sha256') }})
    {%- else -%}
    {{ identifier(type) }}
    {%- endif -%}
{%- endmacro %}

{# The identifiers of persons that lost the first event of one of them: theirs are read
   anew. #}
{% macro lost_identifiers() -%}
    select identifier_key from {{ before('int_identity__owner', [
        'identifier_key bigint', 'person_key bigint',
    ]) }}
    where person_key in (select person_key from {{ ref('int_identity__lost') }})
{%- endmacro %}

{% macro forget_lost(column) %}
    {{- forget(column ~ ' in (' ~ lost_identifiers() ~ ')') -}}
{% endmacro %}
