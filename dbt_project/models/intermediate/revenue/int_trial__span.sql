-- Grain: one row per trial of a subscription that had begun by as_of.
{{ config(materialized='ephemeral') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

trialing as (

    select
        period.*,
        case when period.valid_to <= build.as_of then period.valid_to end as ended_at,
        coalesce(least(period.valid_to, build.as_of), build.as_of) as seen_to
    from {{ ref('subscription_item_period') }} as period
    inner join build on period.valid_from <= build.as_of
    where period.status = 'trialing'

),

numbered as (

    select
        *,
        valid_from > max(seen_to) over (
            partition by subscription_key order by valid_from nulls last
            rows between unbounded preceding and 1 preceding
        ) as is_another
    from trialing

),

run as (

    select
        *,
        count(case when is_another then 1 end) over (
            partition by subscription_key order by valid_from nulls last
        ) as trial_number
    from numbered

),

grouped as (

    select
        subscription_key,
        subscription_id,
        stripe_subscription_id,
        account,
        livemode,
        min_by(plan_id, (valid_from, item_id)) as plan_id,
        min_by(plan_name, (valid_from, item_id)) as plan_name,
        min_by(product_id, (valid_from, item_id)) as product_id,
        min_by(currency, (valid_from, item_id)) as currency,
        min(valid_from) as started_at,
        case when bool_and(ended_at is not null) then max(ended_at) end as ended_at
    from run
    group by
        subscription_key,
        subscription_id,
        stripe_subscription_id,
        account,
        livemode,
        trial_number

),

trial as (

    select
        *,
        lead(started_at) over (
            partition by subscription_key order by started_at nulls last
        ) as next_started_at
    from grouped

)

select * from trial
