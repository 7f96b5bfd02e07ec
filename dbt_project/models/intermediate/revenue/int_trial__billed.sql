-- Grain: one row per trial of whose subscription an invoice was told: what was paid.
{{ config(materialized='ephemeral') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

trial as (

    select * from {{ ref('int_trial__span') }}

),

-- What was billed from the end of the trial on; an invoice may be made some seconds
-- before the subscription is told to be active.
billed as (

    select
        trial.subscription_key,
        trial.started_at,
        min(invoice.payment_at) filter (
            where
            invoice.is_paid
            and invoice.amount_minor > 0
            and (
                coalesce(invoice.billing_reason, '') <> 'subscription_create'
                or invoice.payment_at >= trial.ended_at
            )
        ) as converted_at,
        count(*) filter (
            where invoice.payment_at >= {{ earlier('trial.ended_at', hours=1) }}
        ) > 0 as is_billed,
        count(*) filter (
            where
            invoice.payment_at >= {{ earlier('trial.ended_at', hours=1) }}
            and invoice.is_paid
        ) > 0 as is_settled
    from trial
    inner join {{ ref('int_stripe__invoice_delivery') }} as invoice
        on
            trial.subscription_key = invoice.subscription_key
            and trial.started_at <= invoice.payment_at
            and (
                trial.next_started_at is null
                or trial.next_started_at > invoice.payment_at
            )
    inner join build
        on invoice.told_at <= build.as_of and invoice.payment_at <= build.as_of
    group by trial.subscription_key, trial.started_at

)

select * from billed
