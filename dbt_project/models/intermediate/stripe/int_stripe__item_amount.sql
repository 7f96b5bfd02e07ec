-- Grain: one row per state of a touched subscription and item in it: its list price.
{{ config(materialized='ephemeral') }}

with item as (

    select * from {{ ref('int_stripe__state_item') }}

),

element as (

    select
        subscription_key,
        valid_from,
        item_id,
        billed_quantity,
        element,
        element_number
    from {{ json_elements('item', 'tiers') }}

),

tier_as_text as (

    select * from {{ json_fields('element', 'element', stripe_tier_fields()) }}

),

tier as (

    select
        *,
        {{ stripe_integer('up_to_text') }} as up_to,
        coalesce(lag({{ stripe_integer('up_to_text') }}) over (
            partition by subscription_key, valid_from, item_id
            order by element_number nulls last
        ), 0) as above,
        coalesce(try_cast(unit_text as decimal(24, 12)), 0) as unit,
        coalesce(try_cast(flat_text as decimal(24, 12)), 0) as flat,
        element_number = 0 or billed_quantity > above as is_reached,
        is_reached and (up_to is null or billed_quantity <= up_to) as is_last_reached
    from tier_as_text

),

tiered as (

    select
        subscription_key,
        valid_from,
        item_id,
        cast(sum(
            flat
            + unit * (least(billed_quantity, coalesce(up_to, billed_quantity)) - above)
        ) filter (where is_reached) as decimal(38, 12)) as graduated,
        cast(sum(
            flat + unit * billed_quantity
        ) filter (where is_last_reached) as decimal(38, 12)) as by_volume
    from tier
    group by subscription_key, valid_from, item_id

),

amount as (

    select
        item.*,
        case
            when item.is_metered then null
            when not item.is_tiered then item.unit_amount * item.billed_quantity
            when item.tiers_mode = 'volume' then tiered.by_volume
            when item.tiers_mode = 'graduated' then tiered.graduated
        end as amount_minor,
        {{ periods_per_year('item.billing_interval', 'item.billing_interval_count') }}
            as periods_per_year
    from item
    left join tiered
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
            when quantity is not null and billed_quantity is null then 'out of range'
            when amount_minor is null and is_tiered then 'tiers not told'
            when amount_minor is null then 'no amount'
            when abs(amount_minor) >= 100000000000 then 'out of range'
            when periods_per_year is null then 'no interval'
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
