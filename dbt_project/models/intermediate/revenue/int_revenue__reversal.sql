-- Grain: one row per refund, credit paid out elsewhere, and dispute won or lost.
{{ config(materialized='ephemeral') }}

with state as (

    select * from {{ of_touched_money(ref('int_stripe__money')) }}

),

reversal as (

    select
        account,
        livemode,
        object_key,
        'refund' as kind,
        object_id as source_id,
        charge_id,
        intent_id,
        cast(null as string) as invoice_id,
        customer_id,
        currency,
        amount_minor,
        created_at as occurred_at
    from state
    where
        object_type = 'refund'
        and coalesce(status in ('succeeded', 'pending'), true)
    union all
    select
        account,
        livemode,
        object_key,
        'refund',
        charge_id || ':' || so_far_minor,
        charge_id,
        intent_id,
        null,
        customer_id,
        currency,
        amount_minor,
        occurred_at
    from {{ ref('int_revenue__residual') }}
    union all
    select
        account,
        livemode,
        object_key,
        'refund',
        object_id,
        null,
        null,
        invoice_id,
        customer_id,
        currency,
        out_of_band_minor,
        created_at
    from state
    where
        object_type = 'credit_note'
        and status = 'issued'
        and out_of_band_minor > 0
    union all
    select
        account,
        livemode,
        object_key,
        'dispute_' || status,
        object_id,
        charge_id,
        intent_id,
        null,
        customer_id,
        currency,
        amount_minor,
        coalesce(lost_at, created_at)
    from state
    where object_type = 'dispute' and status in ('lost', 'won')

)

select * from reversal
