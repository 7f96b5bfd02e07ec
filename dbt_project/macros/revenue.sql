{# The revenue policy of a name. #}
{% macro revenue_policy(name) %}
    {{ return(revenue_policies() | selectattr('name', 'equalto', name) | first) }}
{% endmacro %}

{# Stripe's statuses of a subscription. #}
{% macro stripe_statuses() %}
    {{ return([
        'active', 'canceled', 'incomplete', 'incomplete_expired', 'past_due', 'paused',
        'trialing', 'unpaid',
    ]) }}
{% endmacro %}

{# Whether a policy counts an item in a period of it. #}
{% macro policy_counts(policy) -%}
    status in ('{{ policy.statuses | join("', '") }}')
    {%- if 'paused' not in policy.statuses %} and not is_collection_paused{% endif %}
{%- endmacro %}

{# What an item is worth in a year in a period of it, by a policy: exact to 15 digits, in
   major units; null where it is not known, and where the policy does not count it. #}
{% macro policy_arr(policy) -%}
    {%- set net = namespace(amount='amount') -%}
    {%- for duration in policy.durations -%}
        {%- set net.amount = 'cast(' ~ net.amount ~ ' * share_left_' ~ duration
            ~ ' as decimal(28, 15))' -%}
    {%- endfor -%}
    {%- for duration in policy.durations -%}
        {%- set net.amount = net.amount ~ ' - amount_off_' ~ duration -%}
    {%- endfor -%}
    {%- set yearly = '(cast(greatest(' ~ net.amount ~ ', 0) as decimal(28, 15)) * '
        ~ intervals_per_year('billing_interval') ~ ')' -%}
    case
        when
            {{ policy_counts(policy) }}
            and unpriced_because is null
            and unknown_discounts = 0
            and not has_more_items
            then {{ decimal_quotient(yearly, 'billing_interval_count') }}
    end
{%- endmacro %}

{# Why it is not known what an item is worth by a policy; null where it is, nothing too. #}
{% macro policy_unknown_because(policy) -%}
    case
        when
            coalesce(status not in ('{{ stripe_statuses() | join("', '") }}'), true)
            then 'unknown status'
        when not ({{ policy_counts(policy) }}) then null
        when has_more_items then 'items missing'
        when unpriced_because = 'metered' then null
        when unpriced_because is not null then unpriced_because
        when unknown_discounts > 0 then 'discount not told'
    end
{%- endmacro %}

{# Periods of items with what they are worth in a year, once for each policy that counts
   them. #}
{% macro policy_periods(periods) -%}
    {%- for policy in revenue_policies() %}
    select *, '{{ policy.name }}' as policy, {{ policy_arr(policy) }} as arr
    from {{ periods }}
    {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# The movements that periods of payers make: what an item is worth at the end of a day
   (UTC) less what it was worth at the end of the day before. What kind of movement it is
   follows from all that its payer pays, in whatever currency; amounts of several
   currencies are added only to see whether there is any, as none is below 0.
   Periods worth nothing are left in: a filter by worth would be asked first, and of all that
   is stored. #}
{% macro mrr_movements(periods) %}
    with valued as (
        {{ policy_periods(periods) }}
    ),

    boundary as (
        select *, cast(valid_from as date) as day, arr as moved from valued
        union all
        select *, cast(valid_to as date) as day, -arr as moved from valued
        where valid_to is not null
    ),

    moved as (
        select
            policy, account, livemode, payer, person_key, subscription_key,
            subscription_id, item_id, plan_id, plan_name, product_id, currency, day,
            cast(sum(moved) as decimal(38, 15)) as arr
        from boundary
        group by all
        having cast(sum(moved) as decimal(38, 15)) <> 0
    ),

    payer_day as (
        select
            *,
            cast(sum(arr) over (
                partition by policy, account, livemode, payer, day, currency
            ) as decimal(38, 15)) as moved_in_currency,
            cast(sum(arr) over (
                partition by policy, account, livemode, payer
                order by day nulls last
                range between unbounded preceding and current row
            ) as decimal(38, 15)) as after_day,
            cast(sum(arr) over (
                partition by policy, account, livemode, payer, day
            ) as decimal(38, 15)) as moved_in_day,
            min(day) over (partition by policy, account, livemode, payer) as first_day
        from moved
    )

    select
        policy,
        account,
        livemode,
        day,
        case
            when day = first_day then 'new'
            when after_day = moved_in_day then 'reactivation'
            when after_day = 0 then 'churn'
            when moved_in_currency >= 0 then 'expansion'
            else 'contraction'
        end as movement,
        payer,
        person_key,
        subscription_key,
        subscription_id,
        item_id,
        plan_id,
        plan_name,
        product_id,
        currency,
        arr
    from payer_day
{% endmacro %}

{# The rows of subscriptions whose payer this build looks for. #}
{% macro of_unsettled_payer(relation) %}
    {{- looked_at(relation, is_unsettled_payer()) -}}
{% endmacro %}

{# Pre-hook of the table of payers: takes out those that are looked for again. #}
{% macro forget_payers() %}{{- forget(is_unsettled_payer()) -}}{% endmacro %}

{% macro is_unsettled_payer() -%}
    subscription_key in (
        select subscription_key from {{ ref('int_mrr__touched_subscription') }}
    )
{%- endmacro %}

{# Pre-hook of a table about payers: takes out those that are made again. #}
{% macro forget_touched_payers() %}
    {{- forget('payer in (select payer from ' ~ ref('int_mrr__touched_payer') ~ ')') -}}
{% endmacro %}

{% macro mrr_movement_kinds() %}
    {{ return(['new', 'reactivation', 'expansion', 'contraction', 'churn']) }}
{% endmacro %}

{# What rows of mrr_daily are told apart by, beside the day. #}
{% macro mrr_daily_key() %}
    {{ return([
        'policy', 'account', 'livemode', 'currency', 'product_id', 'plan_id', 'plan_name',
    ]) }}
{% endmacro %}
