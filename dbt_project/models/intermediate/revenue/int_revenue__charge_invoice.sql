-- Grain: one row per charge or payment intent of which it is told what it paid.
{{ config(materialized='ephemeral') }}

with payment as (

    select account, livemode, invoice_id, payments
    from {{ of_touched_money(ref('int_stripe__invoice_delivery')) }}
    where payments is not null

),

listed as (

    select *
    from {{ json_fields(
        json_elements('payment', 'payments'), 'element', stripe_payment_fields()
    ) }}

),

told as (

    select account, livemode, invoice_id, charge_id, intent_id
    from {{ of_touched_money(ref('int_stripe__invoice_delivery')) }}
    where charge_id is not null or intent_id is not null
    union all
    select account, livemode, invoice_id, charge_id, intent_id from listed
    union all
    select account, livemode, invoice_id, charge_id, intent_id
    from {{ of_touched_money(ref('int_stripe__money_delivery')) }}
    where
        object_type in ('charge', 'invoice_payment')
        and invoice_id is not null
        and coalesce(status, 'open') <> 'canceled'

),

paid_by as (

    select account, livemode, charge_id as paid_by, invoice_id from told
    union all
    select account, livemode, intent_id, invoice_id from told

),

final as (

    select account, livemode, paid_by, min(invoice_id) as invoice_id
    from paid_by
    where paid_by is not null
    group by account, livemode, paid_by

)

select * from final
