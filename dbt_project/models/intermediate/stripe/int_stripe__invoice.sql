-- Grain: one row per invoice: what holds of it after all that was told.
-- What was paid stays paid.
{%- set key = 'account, livemode, invoice_id' %}
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_told_again(
        ref('int_stripe__invoice_delivery'), 'account, livemode, invoice_id'
    ) }}",
) }}

with touched as (

    select distinct {{ key }} from {{ new_of(ref('int_stripe__invoice_delivery')) }}

),

told as (

    select delivery.*
    from {{ ref('int_stripe__invoice_delivery') }} as delivery
    inner join touched
        on
            delivery.account = touched.account
            and delivery.livemode = touched.livemode
            and delivery.invoice_id = touched.invoice_id

),

state as (

    select *
    from told
    qualify
        row_number() over (
            partition by {{ key }}
            {{ stripe_order_by('desc', 'is_paid desc,', progress='progress') }}
        ) = 1

)

select * from state
