-- Grain: one row per subscription that was told of by as_of: what held of it then.
{{ config(materialized='view') }}

with state as (

    select * from {{ ref('int_stripe__subscription_at_as_of') }}

),

worth as (

    select * from {{ ref('int_stripe__subscription_worth') }}

),

paid as (

    select * from {{ ref('int_revenue__subscription') }}

),

final as (

    select
        state.subscription_id,
        state.subscription_key,
        payer.person_id,
        payer.person_key,
        state.stripe_subscription_id,
        state.account,
        state.livemode,
        state.customer_id as stripe_customer_id,
        state.plan_id,
        state.plan_name,
        {{ stripe_major('state.unit_amount', 'state.currency') }} as price,
        state.currency,
        state.quantity,
        case
            when
                state.billing_interval = 'year'
                or (
                    state.billing_interval = 'month'
                    and state.billing_interval_count >= 12
                )
                then 'annual'
            when state.billing_interval in ('day', 'week', 'month') then 'monthly'
        end as billing_cycle,
        state.billing_interval,
        state.billing_interval_count,
        state.started_at as start_date,
        not state.is_start_told as is_start_assumed,
        state.trial_start_at as trial_start_date,
        state.trial_end_at as trial_end_date,
        case
            when
                not (state.is_deleted or state.cancel_at_period_end)
                and state.stripe_status in ('active', 'trialing', 'past_due', 'unpaid')
                then state.period_end_at
        end as renewal_date,
        state.cancel_requested_at,
        case
            when not {{ has_ended('state') }} and state.cancel_at is not null
                then state.cancel_at
            when not {{ has_ended('state') }} and state.cancel_at_period_end
                then state.period_end_at
        end as cancels_at,
        case
            when state.is_deleted then coalesce(state.ended_at, state.told_at)
            else state.ended_at
        end as cancelled_at,
        {{ churn_kind('state') }} as churn_kind,
        paid.refunded_at,
        state.cancellation_reason,
        state.cancellation_feedback,
        case
            when
                state.is_deleted
                or state.stripe_status in ('canceled', 'incomplete_expired')
                then case when paid.is_refunded then 'refunded' else 'cancelled' end
            when state.stripe_status = 'paused' or state.pause_behavior is not null
                then 'paused'
            when state.stripe_status in ('past_due', 'unpaid') then 'past_due'
            when state.stripe_status = 'active' and state.failed_at is not null
                then 'past_due'
            when state.stripe_status in ('active', 'trialing') then 'active'
        end as status,
        state.stripe_status,
        coalesce(state.failed_at, state.told_at) as updated_at,
        {{ monthly('worth.arr') }} as mrr,
        worth.arr,
        worth.unknown_because as mrr_unknown_because,
        case
            when paid.subscription_key is null then 0 else paid.total_revenue
        end as total_revenue,
        case
            when paid.subscription_key is null then 0 else paid.reporting_revenue
        end as reporting_revenue,
        paid.unknown_because as revenue_unknown_because,
        state.metadata
    from state
    left join {{ ref('int_mrr__payer') }} as payer
        on state.subscription_key = payer.subscription_key
    left join worth on state.subscription_key = worth.subscription_key
    left join paid on state.subscription_key = paid.subscription_key

)

select * from final
