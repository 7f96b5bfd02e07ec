-- Grain: one row per piece of a state and item in it, with what its discounts take off.
{{ config(materialized='ephemeral') }}

with item as (

    select
        *,
        cast(sum(coalesce(amount, 0)) over (
            partition by subscription_key, valid_from, currency
        ) as decimal(38, 15)) as total,
        cast(sum(coalesce(amount, 0)) over (
            partition by subscription_key, valid_from, currency
            order by item_id nulls last
            rows between unbounded preceding and current row
        ) as decimal(38, 15)) as cumulated
    from {{ ref('int_stripe__item_amount') }}

),

piece_item as (

    select item.*, piece.piece_from, piece.piece_to, piece.status
    from item
    inner join {{ ref('int_stripe__state_piece') }} as piece
        on
            item.subscription_key = piece.subscription_key
            and item.valid_from = piece.valid_from

),

applied as (

    select
        piece_item.subscription_key,
        piece_item.piece_from,
        piece_item.item_id,
        piece_item.currency as item_currency,
        discount.duration,
        discount.is_told,
        discount.item_id is not null as is_of_item,
        1 - discount.percent_off * cast(0.01 as decimal(3, 2)) as share_left,
        case
            when discount.off_currency is null or discount.off_currency = item_currency
                then {{ stripe_major('discount.amount_off_minor', 'item_currency') }}
        end as amount_off
    from piece_item
    inner join {{ ref('int_stripe__state_discount') }} as discount
        on
            piece_item.subscription_key = discount.subscription_key
            and piece_item.valid_from = discount.valid_from
            and (discount.item_id is null or piece_item.item_id = discount.item_id)
            and coalesce(piece_item.piece_from >= discount.starts_at, true)
            and coalesce(piece_item.piece_from < discount.ends_at, true)

),

discounted as (

    select
        subscription_key,
        piece_from,
        item_id,
        {%- for duration in discount_durations() %}
        {{ decimal_product(
            'share_left', "share_left is not null and duration = '" ~ duration ~ "'"
        ) }} as share_left_{{ duration }},
        coalesce(cast(sum(amount_off) filter (
            where duration = '{{ duration }}' and is_of_item
        ) as decimal(28, 15)), 0) as item_off_{{ duration }},
        coalesce(cast(sum(amount_off) filter (
            where duration = '{{ duration }}' and not is_of_item
        ) as decimal(28, 15)), 0) as whole_off_{{ duration }},
        {%- endfor %}
        count(*) filter (where not is_told) as unknown_discounts
    from applied
    group by subscription_key, piece_from, item_id

),

final as (

    select
        piece_item.*,
        {%- for duration in discount_durations() %}
        cast(coalesce(discounted.share_left_{{ duration }}, 1) as decimal(18, 12))
            as share_left_{{ duration }},
        cast(coalesce(
            discounted.item_off_{{ duration }}
            + {{ share_of_off(
                'discounted.whole_off_' ~ duration, 'cumulated', 'total'
            ) }}
            - {{ share_of_off(
                'discounted.whole_off_' ~ duration,
                '(cumulated - coalesce(amount, 0))',
                'total',
            ) }},
            0
        ) as decimal(28, 15)) as amount_off_{{ duration }},
        {%- endfor %}
        coalesce(discounted.unknown_discounts, 0) as unknown_discounts
    from piece_item
    left join discounted
        on
            piece_item.subscription_key = discounted.subscription_key
            and piece_item.piece_from = discounted.piece_from
            and piece_item.item_id = discounted.item_id

)

select * from final
