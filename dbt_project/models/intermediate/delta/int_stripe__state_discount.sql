-- Grain: one row per state of a touched subscription and discount on it or on an item.
with discount as (

    select * from {{ ref('int_stripe__told_discount') }}

),

-- Told as an id and in full, it is one: the telling that says most of it counts.
once_each as (

    select
        *,
        duration is null
        or coalesce(percent_off, amount_off_minor) is null as is_bare
    from discount
    qualify
        row_number() over (
            partition by subscription_key, valid_from, item_id, discount_id
            order by
                is_bare nulls last,
                duration nulls last,
                starts_at nulls last,
                ends_at nulls last,
                coupon_key nulls last,
                percent_off nulls last,
                amount_off_minor nulls last,
                off_currency nulls last
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
