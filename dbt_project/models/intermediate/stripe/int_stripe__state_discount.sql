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
        case
            when try_cast(amount_off_text as decimal(24, 12)) < 100000000000
                then try_cast(amount_off_text as decimal(24, 12))
        end as amount_off_minor,
        off_currency,
        {{ epoch_time('start_text') }} as starts_at,
        {{ epoch_time('end_text') }} as ends_at
    from discount_as_text
    where element <> 'null'

),

-- Told as an id and in full, it is one.
once_each as (

    select
        *,
        duration is null
        or coalesce(percent_off, amount_off_minor) is null as is_bare
    from discount
    qualify
        row_number() over (
            partition by subscription_key, valid_from, item_id, discount_id
            order by is_bare nulls last, duration nulls last
        ) = 1

),

-- In full in another state: the latest counts.
told as (

    select * from once_each
    where not is_bare
    qualify
        row_number() over (
            partition by subscription_key, discount_id
            order by valid_from desc nulls last, item_id desc nulls last
        ) = 1

),

final as (

    select
        once_each.subscription_key,
        once_each.valid_from,
        once_each.item_id,
        once_each.discount_id,
        not once_each.is_bare or told.subscription_key is not null as is_told,
        coalesce(once_each.duration, told.duration) as duration,
        coalesce(once_each.percent_off, told.percent_off) as percent_off,
        coalesce(once_each.amount_off_minor, told.amount_off_minor) as amount_off_minor,
        coalesce(once_each.off_currency, told.off_currency) as off_currency,
        coalesce(once_each.starts_at, told.starts_at) as starts_at,
        coalesce(once_each.ends_at, told.ends_at) as ends_at
    from once_each
    left join told
        on
            once_each.subscription_key = told.subscription_key
            and once_each.discount_id = told.discount_id
            and once_each.is_bare

)

select * from final
