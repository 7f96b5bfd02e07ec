{# The columns of a delivery of an event behind its place (batch_seq, row_number). #}
{% macro delivery_columns() %}
    {{ return([
        'landed_at', 'source', 'event_id', 'source_id', 'event_type', 'occurred_at',
        'received_at', 'user_id', 'anonymous_id', 'device_id', 'email',
        'email_sha256', 'stripe_id', 'google_id', 'github_id', 'custom_ids',
        'session_id', 'account_id', 'ip_address', 'user_agent', 'utm_source',
        'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'properties',
        'traits', 'metadata', 'body_key',
    ]) }}
{% endmacro %}

{# Landed rows with the columns that the warehouse reads. #}
{% macro select_delivery(relation) -%}
    select
        batch_seq,
        coalesce(row_number, file_row_number) as row_number,
        {{ delivery_columns() | join(', ') }}
    from {{ relation }}
{%- endmacro %}

{# All deliveries of events: those that landed as events, and those that are derived from
   deliveries of Stripe. With `history`, also those of earlier builds. #}
{% macro event_deliveries(history=false) -%}
    {{ select_delivery(landed('event', history=history)) }}
    union all
    select batch_seq, row_number, {{ delivery_columns() | join(', ') }}
    from {{ ref('int_stripe__event_delivery') }}
    {%- if is_increment() and not history %}
    where batch_seq in ({{ new_batches('stripe') }})
    {%- endif %}
{%- endmacro %}

{# The numbers of the batches that are new to this build. #}
{% macro new_batches(entity) -%}
    select batch_seq from {{ landed(entity) }}
{%- endmacro %}

{# Whether a row came with a batch that is new to this build. #}
{% macro is_of_new_batch() -%}
    (
        batch_seq in ({{ new_batches('event') }})
        or batch_seq in ({{ new_batches('stripe') }})
    )
{%- endmacro %}
