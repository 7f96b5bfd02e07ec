-- Grain: one row per policy and subscription of which it is not known what it is worth.
{{ config(materialized='view') }}

with final as (

    select
        unknown.policy,
        state.account,
        state.livemode,
        payer.person_key,
        state.subscription_key,
        state.subscription_id,
        state.stripe_subscription_id,
        unknown.reason
    from {{ ref('int_mrr__unknown') }} as unknown
    inner join {{ ref('int_stripe__subscription_at_as_of') }} as state
        on unknown.subscription_key = state.subscription_key
    left join {{ ref('int_mrr__payer') }} as payer
        on unknown.subscription_key = payer.subscription_key

)

select * from final
