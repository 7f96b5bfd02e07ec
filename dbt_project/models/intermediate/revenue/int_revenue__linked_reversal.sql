-- Grain: one row per refund, credit paid out elsewhere, and dispute won or lost of an
-- invoice, or of what nothing tells; what was charged without an invoice is no revenue.
{{ config(materialized='ephemeral') }}

with reversal as (

    select * from {{ ref('int_revenue__reversal') }}

),

link as (

    select * from {{ ref('int_revenue__charge_invoice') }}

),

final as (

    select
        reversal.account,
        reversal.livemode,
        reversal.object_key,
        reversal.kind,
        reversal.source_id,
        reversal.charge_id,
        coalesce(
            reversal.invoice_id,
            charge.invoice_id,
            by_charge.invoice_id,
            by_intent.invoice_id
        ) as invoice_id,
        coalesce(reversal.customer_id, charge.customer_id) as customer_id,
        reversal.currency,
        reversal.amount_minor,
        reversal.occurred_at
    from reversal
    left join {{ ref('int_revenue__charge') }} as charge
        on
            reversal.account = charge.account
            and reversal.livemode = charge.livemode
            and reversal.charge_id = charge.charge_id
    left join link as by_charge
        on
            reversal.account = by_charge.account
            and reversal.livemode = by_charge.livemode
            and reversal.charge_id = by_charge.paid_by
    left join link as by_intent
        on
            reversal.account = by_intent.account
            and reversal.livemode = by_intent.livemode
            and reversal.intent_id = by_intent.paid_by
    where not coalesce(charge.is_without_invoice, false)

)

select * from final
