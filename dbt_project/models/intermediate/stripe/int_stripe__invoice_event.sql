-- Grain: one row per event that a delivery tells of an invoice.
-- Whatever tells that an invoice is paid, the event is one, at the time of payment.
{{ config(materialized='ephemeral') }}

with invoice as (

    select * from {{ new_of(ref('int_stripe__invoice_delivery')) }}

),

happened as (

    select
        *,
        'payment_succeeded' as kind,
        invoice_id || ':payment_succeeded' as event_name,
        invoice_id as source_id,
        payment_at as occurred_at
    from invoice
    where is_paid
    union all
    select
        *,
        'purchase_completed',
        subscription_id || ':purchase_completed',
        subscription_id,
        payment_at
    from invoice
    where is_paid and amount_minor > 0 and subscription_id is not null
    union all
    select
        *,
        'payment_failed',
        invoice_id || ':payment_failed:' || coalesce(attempt_count, delivery_id),
        invoice_id,
        told_at
    from invoice
    where is_failure
    union all
    select
        *,
        case
            when event_type = 'invoice.voided' then 'invoice_voided'
            else 'invoice_uncollectible'
        end,
        invoice_id || ':' || event_type,
        invoice_id,
        told_at
    from invoice
    where event_type in ('invoice.voided', 'invoice.marked_uncollectible')

),

event as (

    select
        batch_seq,
        row_number,
        landed_at,
        account,
        livemode,
        kind as event_type,
        event_name,
        source_id,
        occurred_at,
        occurred_at as received_at,
        cast(null as string) as user_id,
        cast(null as string) as email,
        customer_id as stripe_id,
        cast(null as string) as traits,
        {{ stripe_properties(
            texts=['invoice_id', 'subscription_id', 'currency', 'billing_reason'],
            numbers=['amount_minor'],
        ) }} as properties
    from happened

)

select * from event
