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

{# The key of the state that a telling tells, and of the one that it says was before. #}
{% macro stripe_state_after() -%}
    {%- set values = [] -%}
    {%- for column in stripe_state_fields() -%}
        {%- do values.append('coalesce(' ~ column ~ ", '')") -%}
    {%- endfor -%}
    {{ key_of(uuid5_digest("concat_ws('|', " ~ values | join(', ') ~ ')')) }}
{%- endmacro %}

{% macro stripe_state_before() -%}
    {%- set values = [] -%}
    {%- for column, path in stripe_state_fields().items() -%}
        {%- set was = 'was_' ~ column -%}
        {%- set value -%}
            coalesce(
                case
                    when {{ was }} = 'null' then null
                    {%- if '.' in path %}
                    when {{ was }} is null and whole_of_{{ column }} = 'null' then null
                    {%- endif %}
                    when {{ was }} is null then {{ column }}
                    when substring({{ was }}, 1, 1) = '"' then replace({{ was }}, '"', '')
                    else {{ was }}
                end,
                ''
            )
        {%- endset -%}
        {%- do values.append(value) -%}
    {%- endfor -%}
    case
        when previous is not null
            then {{ key_of(uuid5_digest("concat_ws('|', " ~ values | join(', ') ~ ')')) }}
    end
{%- endmacro %}

{# Tellings with their place in the order of time, where updates of one second are a chain. #}
{% macro with_places(told) -%}
    (
        select told.*, place.chain_place
        from {{ told }} as told
        left join {{ ref('int_stripe__telling_place') }} as place
            on
                told.batch_seq = place.batch_seq
                and told.row_number = place.row_number
    )
{%- endmacro %}

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

{# The fold: of all that was told of each object by some time, what holds, which is the last
   telling in the order of time. key: the column of the object; first: what goes before all
   order, as what was deleted stays deleted; told_too: more columns, of all its tellings. #}
{% macro stripe_states(told, key, progress, first='', told_too=[]) %}
    select
        *
        {%- for column in told_too %},
        {{ column }}
        {%- endfor %}
    from {{ told }}
    qualify
        row_number() over (
            partition by {{ key }}
            {{ stripe_order_by('desc', first, progress) }}
        ) = 1
{% endmacro %}

{# Of tellings of a subscription within a second: its place where they are a chain, else what
   is over comes last. #}
{% macro stripe_subscription_progress() %}
    {{ return([
        'chain_place', "coalesce(stripe_status in ('canceled', 'incomplete_expired'), false)",
    ]) }}
{% endmacro %}

{# The fold of subscriptions, told with_places(). #}
{% macro stripe_subscription_states(told) %}
    {{- stripe_states(
        told,
        'subscription_key',
        stripe_subscription_progress(),
        'is_deleted desc nulls last,',
        [
            'max(told_at) over (partition by subscription_key) as last_told_at',
            'bool_or(type_rank = 0 and not is_snapshot) over ('
            'partition by subscription_key) as is_start_told',
        ],
    ) -}}
{% endmacro %}

{# All that was ever told of the objects of which new deliveries tell. #}
{% macro told_again(deliveries, key) %}
    {{- looked_at(deliveries, is_told_again(deliveries, key)) -}}
{% endmacro %}

{# Pre-hook of a table about such objects: takes out those that are made again. #}
{% macro forget_told_again(deliveries, key) %}
    {{- forget(is_told_again(deliveries, key)) -}}
{% endmacro %}

{% macro is_told_again(deliveries, key) -%}
    {{ key }} in (select {{ key }} from {{ new_of(deliveries) }})
{%- endmacro %}

{# The place of a telling of a subscription in the order of time: within a second created
   before updated before deleted, a snapshot behind the events, then what is further on by
   the expressions in `progress`, then by id; of two snapshots the one fetched later. #}
{% macro stripe_order_by(direction='', first='', progress=[]) -%}
    {{ 'order by ' ~ first }}
    date_trunc('second', told_at) {{ direction }} nulls last,
    is_snapshot {{ direction }} nulls last,
    type_rank {{ direction }} nulls last,
    {%- for further in progress %}
    {{ further }} {{ direction }} nulls last,
    {%- endfor %}
    delivery_id {{ direction }} nulls last,
    told_at {{ direction }} nulls last,
    body_key {{ direction }} nulls last
{%- endmacro %}

{# Pre-hook of a table that grows by deliveries of Stripe: takes out what a build by hand
   that failed half way has left of the new batches. #}
{% macro forget_new_stripe() %}
    {{- forget('batch_seq in (' ~ new_batches('stripe') ~ ')') -}}
{% endmacro %}

{# Pre-hook of a table about subscriptions: takes out those that are made again. #}
{% macro forget_touched_subscriptions() %}
    {%- set touched = ref('int_stripe__touched_subscription') -%}
    {{- forget('subscription_key in (select subscription_key from ' ~ touched ~ ')') -}}
{% endmacro %}

{# The rows of such a table that are new to this build. #}
{% macro new_of(relation) -%}
    {%- if is_increment() -%}
    (select * from {{ relation }} where batch_seq in ({{ new_batches('stripe') }}))
    {%- else -%}
    {{ relation }}
    {%- endif -%}
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
