{# Types of identifier whose column holds the value as it is; e-mails and custom
   identifiers are apart. #}
{% macro plain_identifiers() %}
    {{ return([
        'user_id', 'stripe_id', 'google_id', 'github_id', 'anonymous_id', 'device_id',
    ]) }}
{% endmacro %}

{% macro select_identifiers(relation) -%}
    select
        {{ plain_identifiers() | join(', ') }},
        email, email_sha256, custom_ids, occurred_at, event_id, body_key
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

{# The type of the identifier that speaks for an event: the first it carries, in this
   order. #}
{% macro first_identifier_type() -%}
    case
        when user_id is not null then 'user_id'
        when email is not null or email_sha256 is not null then 'email'
        when stripe_id is not null then 'stripe_id'
        when google_id is not null then 'google_id'
        when github_id is not null then 'github_id'
        when anonymous_id is not null then 'anonymous_id'
        when device_id is not null then 'device_id'
        when custom_ids is not null then 'custom:' || {{ json_first_name('custom_ids') }}
    end
{%- endmacro %}

{% macro first_identifier_value() -%}
    case
        when user_id is not null then user_id
        when email is not null then {{ sha256_hex('email') }}
        when email_sha256 is not null then email_sha256
        when stripe_id is not null then stripe_id
        when google_id is not null then google_id
        when github_id is not null then github_id
        when anonymous_id is not null then anonymous_id
        when device_id is not null then device_id
        when custom_ids is not null then {{ json_first_value('custom_ids') }}
    end
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
