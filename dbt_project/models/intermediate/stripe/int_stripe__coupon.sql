-- Grain: one row per coupon: what holds of it after all that was told.
-- What it takes off never changes; one that was deleted runs on where it was redeemed.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_told_again(
        ref('int_stripe__coupon_delivery'), 'object_key'
    ) }}",
) }}

with told as (

    select * from {{ told_again(ref('int_stripe__coupon_delivery'), 'object_key') }}

),

said as (

    select * from told
    where duration is not null

),

state as ({{ stripe_states('said', 'object_key', []) }})

select * from state
