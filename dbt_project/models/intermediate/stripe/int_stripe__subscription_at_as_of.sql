-- Grain: one row per subscription that was told of by as_of: what held of it then.
{{ config(materialized='ephemeral') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

-- Nearly all: nothing is told of them after as_of, so what is stored holds.
settled as (

    select state.*
    from {{ ref('int_stripe__subscription') }} as state
    inner join build on state.last_told_at <= build.as_of

),

unsettled as (

    select state.subscription_key
    from {{ ref('int_stripe__subscription') }} as state
    inner join build on state.last_told_at > build.as_of

),

told_by_then as (

    select told.*
    from {{ ref('int_stripe__subscription_delivery') }} as told
    inner join build on told.told_at <= build.as_of
    where told.subscription_key in (select subscription_key from unsettled)

),

state as (

    select * from settled
    union all
    {{ stripe_subscription_states(with_places('told_by_then')) }}

),

invoice as (

    select invoice.*
    from {{ ref('int_stripe__invoice_delivery') }} as invoice
    inner join build on invoice.told_at <= build.as_of

),

failure as (

    select subscription_key, max(told_at) as failed_at
    from invoice
    where is_failure
    group by subscription_key

),

payment as (

    select subscription_key, max(payment_at) as payment_at
    from invoice
    where is_paid and subscription_key in (select subscription_key from failure)
    group by subscription_key

),

-- A failed payment holds until a later payment, or a later telling of the subscription.
final as (

    select
        state.*,
        case
            when
                failure.failed_at > state.last_told_at
                and (
                    payment.payment_at is null or failure.failed_at > payment.payment_at
                )
                then failure.failed_at
        end as failed_at
    from state
    left join failure on state.subscription_key = failure.subscription_key
    left join payment on state.subscription_key = payment.subscription_key

)

select * from final
