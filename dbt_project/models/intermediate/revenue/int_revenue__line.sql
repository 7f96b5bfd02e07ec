-- Grain: one row per money line, as if nothing more will be told.
{{ config(materialized='incremental', pre_hook="{{ forget_touched_money() }}") }}

with owner as (

    select * from {{ ref('int_stripe__owner') }}
    where id_type = 'stripe_id'

),

valued as (

    select
        *,
        case
            when uncounted_because is null
                then {{ stripe_major('sign * amount_minor', 'currency') }}
        end as amount
    from {{ ref('int_revenue__money') }}

),

line as (

    select
        valued.account,
        valued.livemode,
        valued.object_key,
        valued.kind || ':' || {{ stripe_name('valued.source_id') }} as line_id,
        valued.kind,
        valued.is_revenue,
        valued.occurred_at,
        coalesce(owner.person_id, payer.person_id) as person_id,
        coalesce(owner.person_key, payer.person_key) as person_key,
        coalesce(
            owner.person_id,
            payer.payer,
            'customer ' || valued.customer_id,
            valued.kind || ' ' || valued.source_id
        ) as payer,
        valued.customer_id as stripe_customer_id,
        valued.subscription_key,
        valued.stripe_subscription_id,
        valued.invoice_id,
        valued.charge_id,
        valued.source_id,
        valued.plan_id,
        valued.plan_name,
        valued.product_id,
        valued.currency,
        valued.sign * valued.amount_minor as amount_minor,
        valued.amount,
        {{ reporting_amount('valued.amount', 'rate.rate') }} as reporting_amount,
        valued.uncounted_because,
        case
            when valued.uncounted_because is null and rate.rate is null then 'no rate'
        end as unreported_because
    from valued
    left join owner on valued.customer_id = owner.id_value
    left join {{ ref('int_mrr__payer') }} as payer
        on valued.subscription_key = payer.subscription_key
    left join {{ ref('fx_rate') }} as rate
        on {{ is_rate_of(
            'rate', 'valued.currency', 'cast(valued.occurred_at as date)'
        ) }}

)

select * from line
