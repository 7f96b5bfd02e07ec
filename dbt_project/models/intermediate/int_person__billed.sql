-- Grain: one row per person and span in which the items of its live subscriptions are
-- the same: what they say together.
{{ config(materialized='ephemeral') }}

{%- set policy = revenue_policy(default_policy()) %}

with period as (

    select
        payer.person_key,
        period.valid_from,
        period.valid_to,
        period.plan_name,
        period.currency,
        period.status,
        period.status in ('active', 'paused')
        and coalesce(period.amount > 0, true) as is_paid,
        {{ policy_arr(policy) }} as arr,
        {{ policy_unknown_because(policy) }} as unknown_because
    from {{ ref('subscription_item_period') }} as period
    inner join {{ ref('int_mrr__payer') }} as payer
        on period.subscription_key = payer.subscription_key
    where
        period.livemode
        and payer.person_key in (
            select person_key from {{ touched(ref('int_person__stat')) }}
        )

),

boundary as (

    select person_key, valid_from as moment from period
    union
    select person_key, valid_to from period
    where valid_to is not null

),

span as (

    select
        person_key,
        moment as valid_from,
        lead(moment) over (
            partition by person_key order by moment nulls last
        ) as valid_to
    from boundary

),

final as (

    select
        span.person_key,
        span.valid_from,
        coalesce(bool_or(period.status in ('past_due', 'unpaid')), false)
            as is_past_due,
        coalesce(bool_or(period.is_paid), false) as is_paid,
        coalesce(bool_or(period.status = 'trialing'), false) as is_trial,
        max_by(
            period.plan_name, (coalesce(period.arr, 0), period.plan_name)
        ) as billing_plan,
        count(period.unknown_because) = 0
        and count(distinct period.currency) filter (where period.arr > 0) < 2
            as is_summable,
        coalesce(cast(sum(period.arr) as decimal(38, 15)), 0) as arr
    from span
    left join period
        on
            span.person_key = period.person_key
            and span.valid_from >= period.valid_from
            and (period.valid_to is null or span.valid_from < period.valid_to)
    group by span.person_key, span.valid_from

)

select * from final
