{# Where the fields of Stripe's objects stand, by API version: of several paths the newest
   comes first (2025-03-31 moved periods to the items and the subscription of an invoice to
   its parent). An id may be replaced by the object itself where it was expanded. #}

{% macro stripe_customer_fields() %}
    {{ return({
        'created_text': ['created'],
        'email_text': ['email'],
        'name': ['name'],
        'country': ['address.country'],
        'user_text': ['metadata.' ~ stripe_user_id_key()],
        'deleted_text': ['deleted'],
    }) }}
{% endmacro %}

{% macro stripe_subscription_fields() %}
    {%- set price = 'items.data[0].price' -%}
    {%- set plan = 'items.data[0].plan' -%}
    {{ return({
        'customer_id': stripe_id_paths('customer'),
        'stripe_status': ['status'],
        'plan_id': [price ~ '.id', plan ~ '.id', 'plan.id'],
        'product_id': stripe_id_paths(price ~ '.product')
            + stripe_id_paths(plan ~ '.product') + stripe_id_paths('plan.product'),
        'plan_text': [
            price ~ '.nickname', plan ~ '.nickname', 'plan.nickname',
            price ~ '.product.name', plan ~ '.product.name', plan ~ '.name', 'plan.name',
        ],
        'currency_text': [
            price ~ '.currency', plan ~ '.currency', 'plan.currency', 'currency',
        ],
        'own_currency_text': ['currency'],
        'unit_amount_text': [
            price ~ '.unit_amount_decimal', price ~ '.unit_amount',
            plan ~ '.amount_decimal', plan ~ '.amount',
            'plan.amount_decimal', 'plan.amount', price ~ '.amount',
        ],
        'billing_interval': [
            price ~ '.recurring.interval', plan ~ '.interval', 'plan.interval',
            price ~ '.interval',
        ],
        'interval_count_text': [
            price ~ '.recurring.interval_count', plan ~ '.interval_count',
            'plan.interval_count', price ~ '.interval_count',
        ],
        'quantity_text': ['items.data[0].quantity', 'quantity'],
        'items': ['items.data'],
        'more_items_text': ['items.has_more'],
        'lone_plan': ['plan'],
        'lone_quantity_text': ['quantity'],
        'start_text': ['start_date', 'created', 'start'],
        'period_start_text': ['items.data[0].current_period_start', 'current_period_start'],
        'period_end_text': ['items.data[0].current_period_end', 'current_period_end'],
        'trial_start_text': ['trial_start'],
        'trial_end_text': ['trial_end'],
        'cancel_at_text': ['cancel_at'],
        'cancel_at_period_end_text': ['cancel_at_period_end'],
        'canceled_text': ['canceled_at'],
        'ended_text': ['ended_at'],
        'cancellation_reason': ['cancellation_details.reason'],
        'cancellation_feedback': ['cancellation_details.feedback'],
        'pause_behavior': ['pause_collection.behavior'],
        'pause_resumes_text': ['pause_collection.resumes_at'],
        'paused_text': ['status_details.paused.transitioned_at'],
        'discounts': ['discounts'],
        'lone_discount': ['discount'],
        'latest_invoice_id': stripe_id_paths('latest_invoice'),
        'user_text': ['metadata.' ~ stripe_user_id_key()],
        'metadata': ['metadata'],
    }) }}
{% endmacro %}

{# Of an item of a subscription, by a price or, of old versions of the API, a plan. #}
{% macro stripe_item_fields() %}
    {{ return({
        'item_id': ['id'],
        'plan_id': ['price.id', 'plan.id'],
        'product_id': stripe_id_paths('price.product') + stripe_id_paths('plan.product'),
        'plan_text': [
            'price.nickname', 'plan.nickname', 'price.product.name', 'plan.product.name',
            'plan.name',
        ],
        'currency_text': ['price.currency', 'plan.currency'],
        'unit_amount_text': [
            'price.unit_amount_decimal', 'price.unit_amount',
            'plan.amount_decimal', 'plan.amount', 'price.amount',
        ],
        'billing_interval': [
            'price.recurring.interval', 'plan.interval', 'price.interval',
        ],
        'interval_count_text': [
            'price.recurring.interval_count', 'plan.interval_count', 'price.interval_count',
        ],
        'quantity_text': ['quantity'],
        'usage_type': ['price.recurring.usage_type', 'plan.usage_type'],
        'billing_scheme': ['price.billing_scheme', 'plan.billing_scheme'],
        'tiers_mode': ['price.tiers_mode', 'plan.tiers_mode'],
        'tiers': ['price.tiers', 'plan.tiers'],
        'divide_by_text': [
            'price.transform_quantity.divide_by', 'plan.transform_usage.divide_by',
        ],
        'divide_round': ['price.transform_quantity.round', 'plan.transform_usage.round'],
        'item_discounts': ['discounts'],
    }) }}
{% endmacro %}

{% macro stripe_tier_fields() %}
    {{ return({
        'up_to_text': ['up_to'],
        'unit_text': ['unit_amount_decimal', 'unit_amount', 'amount'],
        'flat_text': ['flat_amount_decimal', 'flat_amount'],
    }) }}
{% endmacro %}

{% macro stripe_coupon_fields() %}
    {{ return({
        'duration': ['duration'],
        'percent_off_text': ['percent_off'],
        'amount_off_text': ['amount_off'],
        'off_currency': ['currency'],
    }) }}
{% endmacro %}

{% macro stripe_discount_fields() %}
    {{ return({
        'discount_id': ['id'],
        'coupon_id': stripe_id_paths('coupon') + stripe_id_paths('source.coupon'),
        'start_text': ['start'],
        'end_text': ['end'],
        'duration': ['coupon.duration', 'source.coupon.duration'],
        'percent_off_text': ['coupon.percent_off', 'source.coupon.percent_off'],
        'amount_off_text': ['coupon.amount_off', 'source.coupon.amount_off'],
        'off_currency': ['coupon.currency', 'source.coupon.currency'],
    }) }}
{% endmacro %}

{# What tells states of a subscription apart: a column of what is told, and where the
   previous_attributes of an update say what it was before. #}
{% macro stripe_state_fields() %}
    {{ return({
        'stripe_status': 'status',
        'customer_id': 'customer',
        'items': 'items.data',
        'lone_plan': 'plan',
        'lone_quantity_text': 'quantity',
        'discounts': 'discounts',
        'lone_discount': 'discount',
        'period_start_text': 'current_period_start',
        'period_end_text': 'current_period_end',
        'trial_start_text': 'trial_start',
        'trial_end_text': 'trial_end',
        'pause_behavior': 'pause_collection.behavior',
        'pause_resumes_text': 'pause_collection.resumes_at',
        'cancel_at_text': 'cancel_at',
        'cancel_at_period_end_text': 'cancel_at_period_end',
        'canceled_text': 'canceled_at',
        'ended_text': 'ended_at',
        'cancellation_reason': 'cancellation_details.reason',
        'cancellation_feedback': 'cancellation_details.feedback',
        'latest_invoice_id': 'latest_invoice',
        'user_text': 'metadata.' ~ stripe_user_id_key(),
    }) }}
{% endmacro %}

{# The same by the names of the columns that hold what was before, and, of a member of an
   object, the object: where that was null, the member was. #}
{% macro stripe_state_paths() %}
    {%- set paths = {} -%}
    {%- for column, path in stripe_state_fields().items() -%}
        {%- do paths.update({'was_' ~ column: path}) -%}
        {%- if '.' in path -%}
            {%- do paths.update({'whole_of_' ~ column: path.split('.')[0]}) -%}
        {%- endif -%}
    {%- endfor %}
    {{ return(paths) }}
{% endmacro %}

{# What the subscription was before an update, of its previous_attributes. #}
{% macro stripe_previous_fields() %}
    {{ return({
        'previous_plan_id': [
            'items.data[0].price.id', 'items.data[0].plan.id', 'plan.id',
        ],
        'previous_quantity_text': ['items.data[0].quantity', 'quantity'],
        'previous_status': ['status'],
        'previous_pause_behavior': ['pause_collection.behavior'],
    }) }}
{% endmacro %}

{% macro stripe_invoice_fields() %}
    {%- set line = 'lines.data[0]' -%}
    {{ return({
        'customer_id': stripe_id_paths('customer'),
        'subscription_id': stripe_id_paths('parent.subscription_details.subscription')
            + stripe_id_paths('subscription')
            + [line ~ '.parent.subscription_item_details.subscription', line ~ '.subscription'],
        'invoice_status': ['status'],
        'paid_flag': ['paid'],
        'amount_paid_text': ['amount_paid'],
        'currency': ['currency'],
        'billing_reason': ['billing_reason'],
        'attempt_count': ['attempt_count'],
        'created_text': ['created', 'date'],
        'paid_text': ['status_transitions.paid_at'],
        'charge_id': stripe_id_paths('charge'),
        'intent_id': stripe_id_paths('payment_intent'),
        'payments': ['payments.data'],
        'tax_text': ['tax'],
        'taxes': ['total_taxes', 'total_tax_amounts'],
    }) }}
{% endmacro %}

{# Of a refund or a dispute; a charge that was refunded lists its latest refund first. #}
{% macro stripe_reversal_fields() %}
    {{ return({
        'customer_id': stripe_id_paths('customer') + stripe_id_paths('charge.customer'),
        'charge_id': stripe_id_paths('charge'),
        'created_text': ['created'],
        'amount_text': ['amount'],
        'currency': ['currency'],
        'reason': ['reason'],
        'listed_id': ['refunds.data[0].id'],
        'listed_created_text': ['refunds.data[0].created'],
        'listed_amount_text': ['refunds.data[0].amount'],
        'listed_reason': ['refunds.data[0].reason'],
    }) }}
{% endmacro %}

{% macro stripe_checkout_fields() %}
    {{ return({
        'customer_id': stripe_id_paths('customer'),
        'subscription_id': stripe_id_paths('subscription'),
        'checkout_status': ['status'],
        'checkout_mode': ['mode'],
        'created_text': ['created'],
        'user_text': ['client_reference_id'],
    }) }}
{% endmacro %}

{% macro stripe_id_paths(path) %}
    {{ return([path ~ '.id', path]) }}
{% endmacro %}

{# The key of an object's metadata under which an application keeps its user's id. #}
{% macro stripe_user_id_key() %}{{ return('user_id') }}{% endmacro %}
