-- Grain: one row per event that a delivery tells of a subscription.
{{ config(materialized='ephemeral') }}

with told as (

    select
        *,
        {{ stripe_properties(
            texts=[
                'plan_id', 'plan_name', 'currency', 'billing_interval', 'stripe_status',
                'cancellation_reason',
            ],
            numbers=['unit_amount', 'quantity'],
        ) }} as properties
    from {{ new_of(ref('int_stripe__subscription_delivery')) }}

),

happened as (

    select *, 'subscription_started' as kind, '' as part, started_at as occurred_at
    from told
    where stripe_status not in ('incomplete', 'incomplete_expired')
    union all
    select *, 'trial_started', '', trial_start_at from told
    union all
    select *, 'trial_will_end', ':' || {{ epoch_micros('trial_end_at') }}, told_at
    from told
    where event_type = 'customer.subscription.trial_will_end'
    union all
    select *, 'subscription_updated', ':' || delivery_id, told_at from told
    where is_plan_changed
    union all
    select
        *,
        'subscription_' || pause_change,
        ':' || {{ epoch_micros('told_at') }},
        told_at
    from told
    where pause_change is not null
    union all
    select *, 'subscription_cancelled', '', coalesce(ended_at, told_at) from told
    where
        (is_deleted or stripe_status = 'canceled')
        and stripe_status <> 'incomplete_expired'

),

event as (

    select
        batch_seq,
        row_number,
        landed_at,
        account,
        livemode,
        kind as event_type,
        stripe_subscription_id || ':' || kind || part as event_name,
        stripe_subscription_id as source_id,
        occurred_at,
        told_at as received_at,
        user_id,
        cast(null as string) as email,
        customer_id as stripe_id,
        cast(null as string) as traits,
        properties
    from happened

)

select * from event
