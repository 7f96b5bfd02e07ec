-- Grain: one row per money line as it was told.
{{ config(materialized='ephemeral') }}

with invoice as (

    select *, invoice_id as source_id
    from {{ of_touched_money(ref('int_stripe__invoice')) }}
    where is_paid

),

money as (

    select
        account,
        livemode,
        object_key,
        'payment' as kind,
        source_id,
        charge_id,
        invoice_id,
        customer_id,
        lower(currency) as currency,
        amount_minor,
        payment_at as occurred_at
    from invoice
    where coalesce(amount_minor <> 0, true)
    union all
    select
        account,
        livemode,
        object_key,
        'tax',
        source_id,
        charge_id,
        invoice_id,
        customer_id,
        lower(currency),
        tax_minor,
        payment_at
    from invoice
    where tax_minor <> 0 and amount_minor > 0
    union all
    select * from {{ ref('int_revenue__linked_reversal') }}
    union all
    select
        account,
        livemode,
        object_key,
        'fee',
        object_id,
        charge_id,
        null,
        customer_id,
        fee_currency,
        fee_minor,
        created_at
    from {{ of_touched_money(ref('int_stripe__money')) }}
    where object_type in ('charge', 'dispute') and fee_minor <> 0

),

-- A reversal is of the invoice that was paid; one of no known payment counts nowhere.
placed as (

    select
        money.account,
        money.livemode,
        money.object_key,
        money.kind,
        money.source_id,
        money.charge_id,
        money.invoice_id,
        coalesce(money.customer_id, invoice.customer_id) as customer_id,
        invoice.subscription_key,
        invoice.subscription_id as stripe_subscription_id,
        invoice.plan_id,
        invoice.plan_name,
        invoice.product_id,
        money.currency,
        money.amount_minor,
        money.occurred_at,
        money.kind in ('{{ revenue_kinds() | join("', '") }}') as is_revenue,
        case
            when is_revenue and invoice.invoice_id is null then 'payment not told'
            when money.occurred_at is null then 'no time'
            {{ uncounted_amount('money.amount_minor', 'money.currency') }}
        end as uncounted_because,
        case when money.kind in ('payment', 'dispute_won') then 1 else -1 end as sign
    from money
    left join invoice
        on
            money.account = invoice.account
            and money.livemode = invoice.livemode
            and money.invoice_id = invoice.invoice_id

)

select * from placed
