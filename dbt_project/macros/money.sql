{# Where the fields of charges, refunds, disputes, credit notes and invoice payments stand;
   names that they share mean the same. #}
{% macro stripe_money_fields() %}
    {{ return({
        'customer_id': stripe_id_paths('customer') + stripe_id_paths('charge.customer'),
        'charge_id': stripe_id_paths('payment.charge') + stripe_id_paths('charge'),
        'intent_id': stripe_id_paths('payment.payment_intent')
            + stripe_id_paths('payment_intent'),
        'invoice_id': stripe_id_paths('invoice'),
        'status': ['status'],
        'currency_text': ['currency'],
        'amount_text': ['amount'],
        'captured_text': ['amount_captured'],
        'refunded_text': ['amount_refunded'],
        'out_of_band_text': ['out_of_band_amount'],
        'created_text': ['created'],
        'reason': ['reason'],
        'paid_flag': ['paid'],
        'fee_text': ['balance_transaction.fee', 'balance_transactions[0].fee'],
        'fee_currency_text': [
            'balance_transaction.currency', 'balance_transactions[0].currency',
        ],
    }) }}
{% endmacro %}

{# Of a payment that an invoice lists. #}
{% macro stripe_payment_fields() %}
    {{ return({
        'charge_id': stripe_id_paths('payment.charge'),
        'intent_id': stripe_id_paths('payment.payment_intent'),
    }) }}
{% endmacro %}

{# Of a line of an invoice, by a price or, of old versions of the API, a plan. #}
{% macro stripe_line_fields() %}
    {{ return({
        'plan_id': stripe_id_paths('pricing.price_details.price')
            + stripe_id_paths('price') + stripe_id_paths('plan'),
        'product_id': stripe_id_paths('pricing.price_details.product')
            + stripe_id_paths('price.product') + stripe_id_paths('plan.product'),
        'plan_name': [
            'price.nickname', 'plan.nickname', 'price.product.name', 'plan.product.name',
            'plan.name',
        ],
    }) }}
{% endmacro %}

{# What of an object about money changes in one direction only: of tellings within a second
   the one that is further on counts. #}
{% macro money_progress() -%}
    case
        when status in ('draft', 'pending', 'requires_action') then 0
        when status in (
            'paid', 'void', 'won', 'lost', 'failed', 'canceled', 'warning_closed'
        ) then 3
        when status in ('succeeded', 'uncollectible') then 2
        else 1
    end
{%- endmacro %}

{# The rows about what this build makes lines of again. #}
{% macro of_touched_money(relation) %}
    {{- looked_at(relation, is_touched_money()) -}}
{% endmacro %}

{# Pre-hook of the table of lines: takes out those that are made again. #}
{% macro forget_touched_money() %}{{- forget(is_touched_money()) -}}{% endmacro %}

{% macro is_touched_money() -%}
    object_key in (select object_key from {{ ref('int_revenue__touched_object') }})
{%- endmacro %}

{# Why an amount of minor units is not one of money; null where it is. #}
{% macro uncounted_amount(amount_minor, currency) -%}
    when {{ amount_minor }} is null then 'no amount'
    when {{ amount_minor }} < 0 then 'negative amount'
    when {{ amount_minor }} >= 1000000000000 then 'out of range'
    when {{ currency }} is null then 'no currency'
    when {{ major_per_minor(currency) }} is null then 'unknown currency'
{%- endmacro %}

{# Kinds of money lines, and which of them are revenue. #}
{% macro revenue_kinds() %}
    {{ return(['payment', 'refund', 'dispute_lost']) }}
{% endmacro %}
