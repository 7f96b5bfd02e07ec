-- Grain: one row per state of a touched subscription and item in it: its list price.
{{ config(materialized='ephemeral') }}

with item as (

    select * from {{ ref('int_stripe__state_item') }}

),

amount as (

    select
        item.*,
        case
            when item.is_metered then null
            when not item.is_tiered then item.unit_amount * item.billed_quantity
            when item.tiers_mode = 'volume' then tiered.by_volume
            when item.tiers_mode = 'graduated' then tiered.graduated
        end as amount_minor
    from item
    left join {{ ref('int_stripe__tier_amount') }} as tiered
        on
            item.subscription_key = tiered.subscription_key
            and item.valid_from = tiered.valid_from
            and item.item_id = tiered.item_id

),

final as (

    select
        *,
        case
            when is_metered then 'metered'
            when currency is null then 'no currency'
            when {{ major_per_minor('currency') }} is null then 'unknown currency'
            when currency <> own_currency then 'other currency'
            when quantity is null then 'no quantity'
            when billed_quantity is null then 'out of range'
            when amount_minor is null and is_tiered then 'tiers not told'
            when amount_minor is null then 'no amount'
            when amount_minor < 0 then 'negative amount'
            when amount_minor >= 100000000000 then 'out of range'
            when {{ intervals_per_year('billing_interval') }} is null then 'no interval'
            when coalesce(billing_interval_count, 0) < 1 then 'no interval'
        end as unpriced_because,
        case
            when unpriced_because is null
                then
                    {{ stripe_major(
                        'cast(amount_minor as decimal(24, 12))', 'currency'
                    ) }}
        end as amount
    from amount

)

select * from final
