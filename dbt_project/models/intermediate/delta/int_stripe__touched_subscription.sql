-- Grain: one row per subscription of which new deliveries of Stripe tell.
{{ config(materialized='table') }}

with touched as (

    select subscription_key
    from {{ new_of(ref('int_stripe__subscription_delivery')) }}
    union
    select subscription_key
    from {{ new_of(ref('int_stripe__invoice_delivery')) }}
    where subscription_key is not null

)

select * from touched
