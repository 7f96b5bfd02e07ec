{# The name of an object in the ids of what is derived from it: own live objects by their
   id alone, the others behind their account and mode. #}
{% macro stripe_name(object_id) -%}
    concat_ws(
        '/', nullif(account, ''), case when not livemode then 'test' end, {{ object_id }}
    )
{%- endmacro %}

{% macro stripe_subscription_digest(object_id) -%}
    {{ uuid5_digest("'subscription:' || " ~ stripe_name(object_id)) }}
{%- endmacro %}

{# The key of an object of Stripe, by its kind (an SQL expression) and id; null without one. #}
{% macro stripe_object_key(kind, object_id) -%}
    case
        when {{ object_id }} is not null
            then
                {{ key_of(uuid5_digest(
                    kind ~ " || ':' || " ~ stripe_name(object_id)
                )) }}
    end
{%- endmacro %}

{# A JSON object of texts and numbers; members that are null are left out. #}
{% macro stripe_properties(texts=[], numbers=[]) -%}
    '{' || concat_ws(
        ','
        {%- for name in texts %},
        '"{{ name }}":' || {{ json_quote(name) }}
        {%- endfor %}
        {%- for name in numbers %},
        '"{{ name }}":' || {{ name }}
        {%- endfor %}
    ) || '}'
{%- endmacro %}

{# The whole number that a text says; null for any other. #}
{% macro stripe_integer(text) -%}
    case
        when try_cast({{ text }} as decimal(38, 9)) = try_cast({{ text }} as bigint)
            then try_cast({{ text }} as bigint)
    end
{%- endmacro %}

{# The whole number that a text says, 1 where there is none; null for any other. #}
{% macro stripe_count(text) -%}
    case when {{ text }} is null then 1 else {{ stripe_integer(text) }} end
{%- endmacro %}

{# Events that Stripe tells, with the columns of a delivery of an event. #}
{% macro select_stripe_event(relation) -%}
    {%- set filled = [
        'landed_at', 'source', 'event_id', 'source_id', 'event_type', 'occurred_at',
        'received_at', 'user_id', 'email', 'stripe_id', 'properties', 'traits',
        'metadata', 'body_key',
    ] -%}
    select
        batch_seq,
        row_number
        {%- for name in delivery_columns() %},
        {{ name if name in filled else 'cast(null as string) as ' ~ name }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}

{# Whether a subscription is over, by a state of it. #}
{% macro has_ended(state) -%}
    (
        {{ state }}.is_deleted
        or coalesce({{ state }}.stripe_status in ('canceled', 'incomplete_expired'), false)
    )
{%- endmacro %}

{# Why a subscription that is over ended. #}
{% macro churn_kind(state) -%}
    case
        when not {{ has_ended(state) }} then null
        when {{ state }}.cancellation_reason = 'cancellation_requested' then 'voluntary'
        when
            {{ state }}.cancellation_reason in ('payment_failed', 'payment_disputed')
            or {{ state }}.stripe_status = 'incomplete_expired'
            then 'involuntary'
        when {{ state }}.cancellation_reason = 'canceled_by_retention_policy'
            then 'retention_policy'
        else 'unknown'
    end
{%- endmacro %}
