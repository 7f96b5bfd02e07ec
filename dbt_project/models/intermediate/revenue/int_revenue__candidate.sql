-- Grain: one row per charge of a customer to whom money went back, or who contests one.
{{ config(materialized='ephemeral') }}

with state as (

    select * from {{ of_touched_money(ref('int_stripe__money')) }}

),

charge as (

    select * from state
    where object_type = 'charge'

),

link as (

    select * from {{ ref('int_revenue__charge_invoice') }}

),

reversed as (

    select distinct account, livemode, charge_id from state
    where object_type in ('refund', 'dispute') and charge_id is not null
    union
    select account, livemode, charge_id from charge
    where refunded_minor > 0

),

contested_customer as (

    select distinct charge.account, charge.livemode, charge.customer_id
    from charge
    inner join reversed
        on
            charge.account = reversed.account
            and charge.livemode = reversed.livemode
            and charge.charge_id = reversed.charge_id

),

final as (

    select
        charge.account,
        charge.livemode,
        charge.charge_id,
        charge.intent_id,
        charge.customer_id,
        charge.currency,
        charge.amount_minor,
        charge.created_at,
        charge.status,
        charge.is_without_invoice,
        coalesce(by_charge.invoice_id, by_intent.invoice_id) as told_invoice_id
    from charge
    inner join contested_customer
        on
            charge.account = contested_customer.account
            and charge.livemode = contested_customer.livemode
            and charge.customer_id is not distinct from contested_customer.customer_id
    left join link as by_charge
        on
            charge.account = by_charge.account
            and charge.livemode = by_charge.livemode
            and charge.charge_id = by_charge.paid_by
    left join link as by_intent
        on
            charge.account = by_intent.account
            and charge.livemode = by_intent.livemode
            and charge.intent_id = by_intent.paid_by

)

select * from final
