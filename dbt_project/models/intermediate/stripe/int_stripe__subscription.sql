-- Grain: one row per subscription: what holds of it after all that was told.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='subscription_key',
) }}

with touched as (

    select distinct subscription_key
    from {{ new_of(ref('int_stripe__subscription_delivery')) }}

),

told as (

    select * from {{ ref('int_stripe__subscription_delivery') }}
    where subscription_key in (select subscription_key from touched)

),

state as ({{ stripe_subscription_states('told') }})

select * from state
