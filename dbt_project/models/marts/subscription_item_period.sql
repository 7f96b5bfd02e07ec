-- Grain: one row per item of a subscription and interval of constant state.
-- As if nothing more will be told; ends of discounts that lie ahead are kept.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched_subscriptions() }}",
) }}

{%- set columns = item_period_columns() -%}
{%- set key = columns['key'] -%}
{%- set constant = columns['constant'] %}

with period as (

    select
        state.account,
        state.livemode,
        state.subscription_key,
        state.subscription_id,
        state.stripe_subscription_id,
        item.item_id,
        item.piece_from as valid_from,
        item.piece_to as valid_to,
        state.delivery_id as told_by,
        state.is_assumed,
        state.customer_id as stripe_customer_id,
        state.is_collection_paused,
        state.has_more_items,
        item.{{ columns['of_item'] | join(',\n        item.') }}
    from {{ ref('int_stripe__piece_item') }} as item
    inner join {{ ref('int_stripe__subscription_state') }} as state
        on
            item.subscription_key = state.subscription_key
            and item.valid_from = state.valid_from

),

hashed as (

    select *, {{ row_hash(constant) }} as content from period

),

followed as (

    select
        *,
        lag(content) over item_in_time as content_before,
        lag(valid_to) over item_in_time as ended_before
    from hashed
    window item_in_time as (
        partition by subscription_key, item_id order by valid_from nulls last
    )

),

numbered as (

    select
        *,
        count(
            case
                when content is distinct from content_before then 1
                when valid_from is distinct from ended_before then 1
            end
        ) over (
            partition by subscription_key, item_id order by valid_from nulls last
        ) as run_number
    from followed

),

run as (

    select
        {{ key | join(',
        ') }},
        run_number,
        min(valid_from) as valid_from,
        case when bool_and(valid_to is not null) then max(valid_to) end as valid_to,
        min_by(told_by, valid_from) as told_by,
        {{ constant | join(',
        ') }}
    from numbered
    group by all

),

final as (

    select
        {{ (key + ['valid_from', 'valid_to', 'told_by'] + constant) | join(',
        ') }}
    from run

)

select * from final
