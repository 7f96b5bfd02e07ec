-- Grain: one row per subscription of which, or of whose coupons, new deliveries tell.
{{ config(materialized='table') }}

with touched as (

    select subscription_key
    from {{ new_of(ref('int_stripe__subscription_delivery')) }}
    union
    select subscription_key
    from {{ new_of(ref('int_stripe__invoice_delivery')) }}
    where subscription_key is not null
    union
    select subscription_key
    from {{ before('int_stripe__discount_coupon', [
        'subscription_key bigint', 'coupon_key bigint',
    ]) }}
    where
        coupon_key in (
            select object_key from {{ new_of(ref('int_stripe__coupon_delivery')) }}
        )

)

select * from touched
