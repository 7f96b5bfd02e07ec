-- Grain: one row per money line by as_of.
{{ config(materialized='view') }}

-- What was bought has the name that subscriptions give it, if the invoice gives none.
with plan as (

    select plan_id, max(plan_name) filter (where plan_name <> plan_id) as plan_name
    from {{ ref('subscription_item_period') }}
    where plan_id is not null
    group by plan_id

),

final as (

    select
        line.line_id,
        line.kind,
        line.is_revenue,
        line.occurred_at,
        cast(line.occurred_at as date) as day,
        line.account,
        line.livemode,
        line.person_id,
        line.person_key,
        line.payer,
        line.stripe_customer_id,
        line.subscription_key,
        line.stripe_subscription_id,
        line.invoice_id,
        line.charge_id,
        line.source_id,
        line.plan_id,
        coalesce(line.plan_name, plan.plan_name, line.plan_id) as plan_name,
        line.product_id,
        line.currency,
        line.amount_minor,
        line.amount,
        '{{ reporting_currency() }}' as reporting_currency,
        line.reporting_amount,
        line.uncounted_because,
        line.unreported_because
    from {{ ref('int_revenue__line') }} as line
    inner join {{ ref('build_info') }} as build
        on coalesce(line.occurred_at <= build.as_of, true)
    left join plan on line.plan_id = plan.plan_id

)

select * from final
