{# The items of a subscription; of one that lists none but has a plan, an item of that. #}
{% macro stripe_items() -%}
    case
        when items is null and substring(lone_plan, 1, 1) = '{'
            then
                '[{"plan":' || lone_plan || coalesce(
                    ',"quantity":'
                    || cast({{ stripe_integer('lone_quantity_text') }} as string),
                    ''
                ) || '}]'
        else items
    end
{%- endmacro %}

{# How many of an interval a year has; null for an unknown one. #}
{% macro intervals_per_year(billing_interval) -%}
    case {{ billing_interval }}
        when 'day' then 365 when 'week' then 52 when 'month' then 12 when 'year' then 1
    end
{%- endmacro %}

{# The kinds of discount, by how long they last. #}
{% macro discount_durations() %}{{ return(['forever', 'repeating', 'once']) }}{% endmacro %}

{# Of an amount off a whole subscription, what falls to the items up to one of them: by a
   share of 12 digits, so that all items together have the whole. #}
{% macro share_of_off(off, cumulated, total) -%}
    case
        when {{ cumulated }} = {{ total }} then {{ off }}
        else cast({{ off }} * {{ decimal_ratio(cumulated, total) }} as decimal(28, 15))
    end
{%- endmacro %}

{# What is constant in a period of an item, by where it stands. #}
{% macro item_period_columns() %}
    {%- set of_item = [
        'status', 'plan_id', 'plan_name', 'product_id', 'currency', 'billing_interval',
        'billing_interval_count', 'quantity', 'unit_amount', 'is_metered',
        'unpriced_because', 'amount', 'unknown_discounts',
    ] -%}
    {%- for duration in discount_durations() -%}
        {%- do of_item.extend(['share_left_' ~ duration, 'amount_off_' ~ duration]) -%}
    {%- endfor %}
    {{ return({
        'key': [
            'account', 'livemode', 'subscription_key', 'subscription_id',
            'stripe_subscription_id', 'item_id',
        ],
        'constant': [
            'is_assumed', 'stripe_customer_id', 'is_collection_paused', 'has_more_items',
        ] + of_item,
        'of_item': of_item,
    }) }}
{% endmacro %}
