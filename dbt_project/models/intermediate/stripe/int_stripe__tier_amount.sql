-- Grain: one row per state of a touched subscription and item whose tiers are told.
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
        try_cast(coalesce(unit_text, '0') as decimal(24, 12)) as unit,
        try_cast(coalesce(flat_text, '0') as decimal(24, 12)) as flat,
        coalesce(unit_text, flat_text) is not null
        and unit + flat is not null as is_told,
        element_number = 0 or billed_quantity > above as is_reached,
        is_reached and (up_to is null or billed_quantity <= up_to) as is_last_reached
    from tier_as_text

),

final as (

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
    where billed_quantity is not null
    group by subscription_key, valid_from, item_id
    having
        count(*) filter (where is_last_reached) > 0
        and count(*) filter (where is_reached and not is_told) = 0

)

select * from final
