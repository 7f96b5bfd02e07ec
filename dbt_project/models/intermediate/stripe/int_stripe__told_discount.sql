-- Grain: one row per state of a touched subscription and place that tells a discount.
-- Of a coupon that is told by its id alone, its own deliveries tell what it takes off.
{{ config(materialized='ephemeral') }}

with listed as (

    select
        account,
        livemode,
        subscription_key,
        valid_from,
        cast(null as string) as item_id,
        discounts as said
    from {{ ref('int_stripe__subscription_state') }}
    union all
    select account, livemode, subscription_key, valid_from, null, lone_discount
    from {{ ref('int_stripe__subscription_state') }}
    union all
    select account, livemode, subscription_key, valid_from, item_id, item_discounts
    from {{ ref('int_stripe__state_item') }}

),

element as (

    select * from {{ json_elements('listed', 'said') }}

),

as_text as (

    select *, {{ stripe_object_key("'coupon'", 'coupon_id') }} as coupon_key
    from {{ json_fields('element', 'element', stripe_discount_fields()) }}
    where element <> 'null'

),

with_coupon as (

    select
        as_text.subscription_key,
        as_text.valid_from,
        as_text.item_id,
        as_text.element,
        as_text.discount_id,
        as_text.coupon_key,
        as_text.start_text,
        as_text.end_text,
        coalesce(as_text.duration, coupon.duration) as duration,
        coalesce(as_text.percent_off_text, coupon.percent_off_text) as percent_off_text,
        coalesce(as_text.amount_off_text, coupon.amount_off_text) as amount_off_text,
        coalesce(as_text.off_currency, coupon.off_currency) as off_currency
    from as_text
    left join {{ ref('int_stripe__coupon') }} as coupon
        on as_text.coupon_key = coupon.object_key and as_text.duration is null

),

discount as (

    select
        subscription_key,
        valid_from,
        item_id,
        coalesce(discount_id, replace(element, '"', '')) as discount_id,
        coupon_key,
        duration,
        try_cast(percent_off_text as decimal(9, 6)) as percent_off,
        case
            when try_cast(amount_off_text as decimal(24, 12)) < 100000000000
                then try_cast(amount_off_text as decimal(24, 12))
        end as amount_off_minor,
        off_currency,
        {{ epoch_time('start_text') }} as starts_at,
        {{ epoch_time('end_text') }} as ends_at
    from with_coupon

)

select * from discount
