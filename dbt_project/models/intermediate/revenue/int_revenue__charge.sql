-- Grain: one row per charge of such a customer: which invoice it paid.
-- Where nothing tells, it is that of the same customer and amount which was paid within
-- a day of the charge, if there is one such invoice and one such charge alone.
{{ config(materialized='ephemeral') }}

with candidate as (

    select * from {{ ref('int_revenue__candidate') }}

),

likely as (

    select
        candidate.account,
        candidate.livemode,
        candidate.charge_id,
        invoice.invoice_id,
        count(*) over (
            partition by candidate.account, candidate.livemode, candidate.charge_id
        ) as invoices,
        count(*) over (
            partition by candidate.account, candidate.livemode, invoice.invoice_id
        ) as charges
    from candidate
    inner join {{ of_touched_money(ref('int_stripe__invoice')) }} as invoice
        on
            candidate.account = invoice.account
            and candidate.livemode = invoice.livemode
            and candidate.customer_id = invoice.customer_id
            and candidate.amount_minor = invoice.amount_minor
            and candidate.currency = lower(invoice.currency)
            and invoice.payment_at >= {{ earlier('candidate.created_at', hours=1) }}
            and invoice.payment_at <= {{ later('candidate.created_at', days=1) }}
    anti join candidate as other
        on
            invoice.account = other.account
            and invoice.livemode = other.livemode
            and invoice.invoice_id = other.told_invoice_id
    where
        candidate.told_invoice_id is null
        and not candidate.is_without_invoice
        and candidate.status = 'succeeded'
        and invoice.is_paid

),

final as (

    select
        candidate.account,
        candidate.livemode,
        candidate.charge_id,
        candidate.customer_id,
        candidate.is_without_invoice,
        coalesce(candidate.told_invoice_id, likely.invoice_id) as invoice_id
    from candidate
    left join likely
        on
            candidate.account = likely.account
            and candidate.livemode = likely.livemode
            and candidate.charge_id = likely.charge_id
            and likely.invoices = 1
            and likely.charges = 1

)

select * from final
