-- Grain: one row per policy and subscription of which it is not known what it is worth.
{{ config(materialized='ephemeral') }}

with period as (

    select period.*
    from {{ ref('subscription_item_period') }} as period
    inner join {{ ref('build_info') }} as build
        on
            period.valid_from <= build.as_of
            and (period.valid_to is null or period.valid_to > build.as_of)

),

without_item as (

    select
        subscription_key,
        stripe_status as status,
        pause_behavior is not null as is_collection_paused
    from {{ ref('int_stripe__subscription_at_as_of') }}
    where
        not is_deleted
        and coalesce(stripe_status not in ('canceled', 'incomplete_expired'), true)
        and subscription_key not in (select subscription_key from period)

),

unknown as (
    {% for policy in revenue_policies() %}
    select
        '{{ policy.name }}' as policy,
        subscription_key,
        {{ policy_unknown_because(policy) }} as reason
    from period
    union all
    select
        '{{ policy.name }}',
        subscription_key,
        case when {{ policy_counts(policy) }} then 'no items' else 'unknown status' end
    from without_item
    where
        coalesce(status not in ('{{ stripe_statuses() | join("', '") }}'), true)
        or ({{ policy_counts(policy) }})
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

final as (

    select policy, subscription_key, min(reason) as reason
    from unknown
    where reason is not null
    group by policy, subscription_key

)

select * from final
