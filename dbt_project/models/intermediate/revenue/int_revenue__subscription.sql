-- Grain: one row per subscription that was paid for by as_of: what it brought.
{{ config(materialized='ephemeral') }}

with line as (

    select * from {{ ref('revenue') }}
    where is_revenue

),

-- Money that went back to such a customer may have been paid for any subscription.
unclear as (

    select distinct account, livemode, stripe_customer_id from line
    where uncounted_because = 'payment not told' and stripe_customer_id is not null

),

of_invoice as (

    select
        account,
        livemode,
        stripe_customer_id,
        subscription_key,
        invoice_id,
        cast(sum(amount) as decimal(38, 15)) as amount,
        cast(sum(reporting_amount) as decimal(38, 15)) as reporting_amount,
        count(unreported_because) as unreported,
        min(uncounted_because) as uncounted_because,
        min(currency) as first_currency,
        max(currency) as last_currency,
        coalesce(-cast(sum(amount_minor) filter (where kind = 'refund') as bigint), 0)
            as refunded_minor,
        coalesce(cast(sum(amount_minor) filter (where kind = 'payment') as bigint), 0)
            as paid_minor,
        max(occurred_at) filter (where kind = 'refund') as refunded_at
    from line
    where subscription_key is not null
    group by account, livemode, stripe_customer_id, subscription_key, invoice_id

),

of_subscription as (

    select
        of_invoice.subscription_key,
        cast(sum(of_invoice.amount) as decimal(38, 15)) as amount,
        cast(sum(of_invoice.reporting_amount) as decimal(38, 15)) as reporting_amount,
        max(of_invoice.unreported) as unreported,
        coalesce(
            min(of_invoice.uncounted_because),
            case when count(unclear.account) > 0 then 'payment not told' end
        ) as uncounted_because,
        min(of_invoice.first_currency) < max(of_invoice.last_currency)
            as is_in_several_currencies,
        bool_and(of_invoice.refunded_minor >= of_invoice.paid_minor) as is_refunded,
        max(of_invoice.refunded_at) as refunded_at
    from of_invoice
    left join unclear
        on
            of_invoice.account = unclear.account
            and of_invoice.livemode = unclear.livemode
            and of_invoice.stripe_customer_id = unclear.stripe_customer_id
    group by of_invoice.subscription_key

),

final as (

    select
        subscription_key,
        case
            when uncounted_because is null and not is_in_several_currencies then amount
        end as total_revenue,
        case
            when uncounted_because is null and unreported = 0 then reporting_amount
        end as reporting_revenue,
        coalesce(
            uncounted_because,
            case when is_in_several_currencies then 'several currencies' end
        ) as unknown_because,
        is_refunded and uncounted_because is null as is_refunded,
        refunded_at
    from of_subscription

)

select * from final
