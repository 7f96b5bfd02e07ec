{# Movements add up to what items are worth: of each subscription at as_of, and of each
   currency and product at the end of each of the last 31 days. #}
{% test mrr_ties_out(model) %}

with build as (

    select as_of, cast(as_of as date) as today from {{ ref('build_info') }}

),

period as (

    select * from ({{ policy_periods(ref('subscription_item_period')) }}) as valued
    where arr > 0

),

movement as (

    select * from {{ model }}

),

worth_now as (

    select period.policy, period.subscription_key, period.arr, 0 as moved
    from period
    inner join build
        on
            period.valid_from <= build.as_of
            and (period.valid_to is null or period.valid_to > build.as_of)
    union all
    select policy, subscription_key, 0, arr from movement

),

of_subscription as (

    select policy, 'subscription ' || subscription_key as whose
    from worth_now
    group by policy, subscription_key
    having cast(sum(arr - moved) as decimal(38, 15)) <> 0

),

day as (

    select distinct movement.day
    from movement
    inner join build
        on
            movement.day > build.today - interval '31' day
            and movement.day < build.today

),

worth_then as (

    select
        period.policy, period.account, period.livemode, period.currency,
        period.product_id, day.day, period.arr, 0 as moved
    from period
    inner join day
        on
            period.valid_from < day.day + interval '1' day
            and (
                period.valid_to is null
                or period.valid_to >= day.day + interval '1' day
            )
    union all
    select
        movement.policy, movement.account, movement.livemode, movement.currency,
        movement.product_id, day.day, 0, movement.arr
    from movement
    inner join day on movement.day <= day.day

),

of_day as (

    select policy, concat_ws(' ', account, livemode, currency, product_id, day) as whose
    from worth_then
    group by policy, account, livemode, currency, product_id, day
    having cast(sum(arr - moved) as decimal(38, 15)) <> 0

)

select * from of_subscription
union all
select * from of_day

{% endtest %}
