{# Movements add up to what items are worth: of each subscription at as_of, and of each
   currency and product on every day before: what begins and ends to count on it is what
   moved, so all days until then add up, too. Of an increment, that of the payers who are
   made again. #}
{% test mrr_ties_out(model) %}

{%- set payer = ref('int_mrr__payer') %}

with build as (

    select as_of, cast(as_of as date) as today from {{ ref('build_info') }}

),

made_again as (

    select * from {{ ref('subscription_item_period') }}
    {% if is_partial() %}
    where subscription_key in (
        select subscription_key from {{ payer }}
        where {{ is_touched_payer() }}
    )
    {% endif %}

),

period as (

    {{ policy_periods('made_again') }}

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

change as (

    select
        policy, account, livemode, currency, product_id,
        cast(valid_from as date) as day, arr
    from period
    union all
    select
        policy, account, livemode, currency, product_id,
        cast(valid_to as date), -arr
    from period
    where valid_to is not null
    union all
    select policy, account, livemode, currency, product_id, day, -arr from movement

),

of_day as (

    select policy, concat_ws(' ', account, livemode, currency, product_id, day) as whose
    from change
    inner join build on change.day < build.today
    group by policy, account, livemode, currency, product_id, day
    having cast(sum(arr) as decimal(38, 15)) <> 0

)

select * from of_subscription
union all
select * from of_day

{% endtest %}
