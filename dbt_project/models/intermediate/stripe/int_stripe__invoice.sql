-- Grain: one row per invoice: what holds of it after all that was told.
-- What was paid stays paid.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_told_again(
        ref('int_stripe__invoice_delivery'), 'object_key'
    ) }}",
) }}

with told as (

    select * from {{ told_again(ref('int_stripe__invoice_delivery'), 'object_key') }}

),

state as ({{ stripe_states('told', 'object_key', ['progress'], 'is_paid desc,') }})

select * from state
