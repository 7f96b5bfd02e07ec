-- Grain: one row per payer, as they were or are, whose subscriptions changed.
with touched as (

    select payer from {{ ref('int_mrr__moved_payer') }}
    union
    select payer.payer
    from {{ ref('int_mrr__payer') }} as payer
    inner join {{ ref('int_stripe__touched_subscription') }} as touched_subscription
        on payer.subscription_key = touched_subscription.subscription_key

)

select * from touched
