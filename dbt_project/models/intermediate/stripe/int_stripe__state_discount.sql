-- Grain: one row per state of a touched subscription and discount on it or on an item.
{{ config(materialized='ephemeral') }}

with listed as (

    select
        subscription_key,
        valid_from,
        cast(null as string) as item_id,
        discounts as said
    from {{ ref('int_stripe__subscription_state') }}
    union all
    select subscription_key, valid_from, null, lone_discount
    from {{ ref('int_stripe__subscription_state') }}
    union all
    select subscription_key, valid_from, item_id, item_discounts
    from {{ ref('int_stripe__state_item') }}

),

element as (

    select * from {{ json_elements('listed', 'said') }}

),

discount_as_text as (

    select * from {{ json_fields('element', 'element', stripe_discount_fields()) }}

),

discount as (

    select
        subscription_key,
        valid_from,
        item_id,
        coalesce(discount_id, replace(element, '"', '')) as discount_id,
        duration,
        try_cast(percent_off_text as decimal(9, 6)) as percent_off,
        try_cast(amount_off_text as decimal(24, 12)) as amount_off_minor,
        off_currency,
        {{ epoch_time('start_text') }} as starts_at,
        {{ epoch_time('end_text') }} as ends_at
    from discount_as_text
    where element <> 'null'

),

-- Told as an id and in full, it is one.
final as (

    select * from discount
    qualify
        row_number() over (
            partition by subscription_key, valid_from, item_id, discount_id
            order by duration nulls last
        ) = 1

)

select * from final
