-- Grain: one row per subscription and coupon that a discount on it or an item names.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched_subscriptions() }}",
) }}

with named as (

    select distinct subscription_key, coupon_key
    from {{ ref('int_stripe__told_discount') }}
    where coupon_key is not null

)

select * from named
