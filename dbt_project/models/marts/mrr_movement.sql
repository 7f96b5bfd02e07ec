-- Grain: one row per policy, item, plan, currency and day by as_of on which MRR moved.
{{ config(materialized='view') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

-- Nearly all payers are settled: nothing of theirs changes after as_of.
unsettled as (

    select distinct payer.payer
    from {{ ref('subscription_item_period') }} as period
    inner join {{ ref('int_mrr__payer') }} as payer
        on period.subscription_key = payer.subscription_key
    inner join build
        on period.valid_from > build.as_of or period.valid_to > build.as_of

),

period as (

    select
        period.account,
        period.livemode,
        period.subscription_key,
        period.subscription_id,
        period.item_id,
        period.plan_id,
        period.plan_name,
        period.product_id,
        period.currency,
        period.status,
        period.is_collection_paused,
        period.amount,
        period.billing_interval,
        period.billing_interval_count,
        period.unpriced_because,
        period.unknown_discounts,
        period.has_more_items,
        {%- for duration in discount_durations() %}
        period.share_left_{{ duration }},
        period.amount_off_{{ duration }},
        {%- endfor %}
        period.valid_from,
        case when period.valid_to <= build.as_of then period.valid_to end as valid_to,
        payer.payer,
        payer.person_key
    from {{ ref('subscription_item_period') }} as period
    inner join build on period.valid_from <= build.as_of
    inner join {{ ref('int_mrr__payer') }} as payer
        on period.subscription_key = payer.subscription_key
    where payer.payer in (select payer from unsettled)

),

by_then as ({{ mrr_movements('period') }}),

movement as (

    select * from {{ ref('int_mrr__movement') }}
    where payer not in (select payer from unsettled)
    union all
    select * from by_then

),

final as (

    select
        policy,
        account,
        livemode,
        day,
        movement,
        person_key,
        payer,
        subscription_key,
        subscription_id,
        item_id,
        plan_id,
        plan_name,
        product_id,
        currency,
        arr,
        {{ monthly('arr') }} as mrr
    from movement

)

select * from final
