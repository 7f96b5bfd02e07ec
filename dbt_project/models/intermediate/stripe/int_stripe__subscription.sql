-- Grain: one row per subscription: what holds of it after all that was told.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_told_again(
        ref('int_stripe__subscription_delivery'), 'subscription_key'
    ) }}",
) }}

with told as (

    select *
    from {{ told_again(ref('int_stripe__subscription_delivery'), 'subscription_key') }}

),

state as ({{ stripe_subscription_states(with_places('told')) }})

select * from state
