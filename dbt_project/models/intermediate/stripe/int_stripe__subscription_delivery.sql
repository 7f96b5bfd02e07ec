-- Grain: one row per delivery that carries a subscription: what it says of it.
{{ config(materialized='incremental', pre_hook="{{ forget_new_stripe() }}") }}

with delivery as (

    select * from {{ ref('stg_stripe__delivery') }}
    where object_type = 'subscription'

),

said as (

    select * from {{ json_fields('delivery', 'object', stripe_subscription_fields()) }}

),

compared as (

    {%- set previous = json_fields('said', 'previous', stripe_previous_fields()) %}
    select * from {{ json_parts(previous, 'previous', stripe_state_paths()) }}

),

named as (

    select
        *,
        {{ stripe_subscription_digest('object_id') }} as digest,
        {{ stripe_state_after() }} as after_key,
        {{ stripe_state_before() }} as before_key
    from compared

),

subscription as (

    select
        batch_seq,
        row_number,
        landed_at,
        account,
        livemode,
        object_id as stripe_subscription_id,
        {{ key_of('digest') }} as subscription_key,
        {{ uuid5_of('digest') }} as subscription_id,
        delivery_id,
        is_snapshot,
        event_type,
        type_rank,
        told_at,
        type_rank = 2 as is_deleted,
        customer_id,
        {{ identifier_of('user_text') }} as user_id,
        stripe_status,
        plan_id,
        coalesce(plan_text, plan_id) as plan_name,
        product_id,
        lower(currency_text) as currency,
        lower(own_currency_text) as own_currency,
        try_cast(unit_amount_text as decimal(24, 12)) as unit_amount,
        billing_interval,
        {{ stripe_integer('interval_count_text') }} as billing_interval_count,
        {{ stripe_integer('quantity_text') }} as quantity,
        {{ stripe_items() }} as items,
        coalesce(more_items_text = 'true', false) as has_more_items,
        discounts,
        lone_discount,
        {{ epoch_time('start_text') }} as started_at,
        {{ epoch_time('period_start_text') }} as period_start_at,
        {{ epoch_time('period_end_text') }} as period_end_at,
        {{ epoch_time('trial_start_text') }} as trial_start_at,
        {{ epoch_time('trial_end_text') }} as trial_end_at,
        {{ epoch_time('cancel_at_text') }} as cancel_at,
        coalesce(cancel_at_period_end_text = 'true', false) as cancel_at_period_end,
        {{ epoch_time('canceled_text') }} as cancel_requested_at,
        {{ epoch_time('ended_text') }} as ended_at,
        cancellation_reason,
        cancellation_feedback,
        pause_behavior,
        {{ epoch_time('pause_resumes_text') }} as pause_resumes_at,
        {{ epoch_time('paused_text') }} as paused_at,
        latest_invoice_id,
        metadata,
        coalesce(
            previous_plan_id <> plan_id
            or previous_quantity_text <> quantity_text,
            previous_plan_id <> plan_id,
            previous_quantity_text <> quantity_text,
            false
        ) as is_plan_changed,
        case
            when event_type = 'customer.subscription.paused' then 'paused'
            when event_type = 'customer.subscription.resumed' then 'resumed'
            when previous_status <> 'paused' and stripe_status = 'paused' then 'paused'
            when previous_status = 'paused' and stripe_status <> 'paused' then 'resumed'
            when
                previous like '%"pause_collection":%'
                and (previous_pause_behavior is null) <> (pause_behavior is null)
                then case when pause_behavior is null then 'resumed' else 'paused' end
        end as pause_change,
        before_key,
        after_key,
        body_key
    from named

)

select * from subscription
