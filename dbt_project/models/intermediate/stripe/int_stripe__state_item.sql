-- Grain: one row per state of a touched subscription and item in it.
{{ config(materialized='ephemeral') }}

with state as (

    select
        account,
        livemode,
        subscription_key,
        valid_from,
        stripe_subscription_id,
        own_currency,
        items
    from {{ ref('int_stripe__subscription_state') }}

),

element as (

    select * from {{ json_elements('state', 'items') }}

),

said as (

    select * from {{ json_fields('element', 'element', stripe_item_fields()) }}

),

item as (

    select
        account,
        livemode,
        subscription_key,
        valid_from,
        coalesce(item_id, stripe_subscription_id || ':' || element_number) as item_id,
        plan_id,
        coalesce(plan_text, plan_id) as plan_name,
        product_id,
        coalesce(lower(currency_text), own_currency) as currency,
        own_currency,
        try_cast(unit_amount_text as decimal(24, 12)) as unit_amount,
        billing_interval,
        {{ stripe_count('interval_count_text') }} as billing_interval_count,
        coalesce(usage_type = 'metered', false) as is_metered,
        case
            when not is_metered then {{ stripe_count('quantity_text') }}
        end as quantity,
        coalesce(billing_scheme = 'tiered', false) as is_tiered,
        tiers_mode,
        tiers,
        {{ stripe_integer('divide_by_text') }} as divide_by,
        divide_round,
        item_discounts
    from said

),

divided as (

    select
        *,
        case
            when quantity not between 0 and 1000000000 then null
            when divide_by > 1 and divide_round = 'up'
                then cast(ceil(cast(quantity as double) / divide_by) as bigint)
            when divide_by > 1
                then cast(floor(cast(quantity as double) / divide_by) as bigint)
            else quantity
        end as billed_quantity
    from item

)

select * from divided
