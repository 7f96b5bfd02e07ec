-- Grain: one row per subscription: what it is worth at as_of, by the default policy.
{{ config(materialized='ephemeral') }}

with counted as (

    select
        period.subscription_key,
        cast(sum({{ policy_arr(revenue_policy(default_policy())) }}) as decimal(38, 15))
            as arr
    from {{ ref('subscription_item_period') }} as period
    inner join {{ ref('build_info') }} as build
        on
            period.valid_from <= build.as_of
            and (period.valid_to is null or period.valid_to > build.as_of)
    group by period.subscription_key

),

final as (

    select
        state.subscription_key,
        unknown.reason as unknown_because,
        case
            when unknown.reason is null
                then cast(coalesce(counted.arr, 0) as decimal(38, 15))
        end as arr
    from {{ ref('int_stripe__subscription') }} as state
    left join counted on state.subscription_key = counted.subscription_key
    left join {{ ref('int_mrr__unknown') }} as unknown
        on
            state.subscription_key = unknown.subscription_key
            and unknown.policy = '{{ default_policy() }}'

)

select * from final
