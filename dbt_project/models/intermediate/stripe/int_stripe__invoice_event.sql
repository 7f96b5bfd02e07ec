-- Grain: one row per event that a delivery tells of an invoice.
-- Whatever tells that an invoice is paid, the event is one, at the time of payment.
{{ config(materialized='ephemeral') }}

with delivery as (

    select * from {{ ref('stg_stripe__delivery') }}
    where object_type = 'invoice'

),

said as (

    select * from {{ json_fields('delivery', 'object', stripe_invoice_fields()) }}

),

invoice as (

    select
        *,
        object_id as invoice_id,
        {{ stripe_integer('amount_paid_text') }} as amount_minor,
        coalesce(invoice_status, case when paid_flag = 'true' then 'paid' end) = 'paid'
            as is_paid,
        coalesce(
            {{ epoch_time('paid_text') }},
            case
                when event_type in ('invoice.paid', 'invoice.payment_succeeded')
                    then told_at
            end,
            {{ epoch_time('created_text') }}
        ) as paid_at
    from said

),

happened as (

    select
        *,
        'payment_succeeded' as kind,
        invoice_id || ':payment_succeeded' as event_name,
        invoice_id as source_id,
        paid_at as occurred_at
    from invoice
    where is_paid
    union all
    select
        *,
        'purchase_completed',
        subscription_id || ':purchase_completed',
        subscription_id,
        paid_at
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
    where event_type = 'invoice.payment_failed'

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
