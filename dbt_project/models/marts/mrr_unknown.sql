-- Grain: one row per policy and subscription of which it is not known what it is worth.
{{ config(materialized='view') }}

with final as (

    select
        unknown.policy,
        subscription.account,
        subscription.livemode,
        subscription.person_key,
        subscription.subscription_key,
        subscription.subscription_id,
        subscription.stripe_subscription_id,
        unknown.reason
    from {{ ref('int_mrr__unknown') }} as unknown
    inner join {{ ref('subscription') }} as subscription
        on unknown.subscription_key = subscription.subscription_key

)

select * from final
