-- Grain: one row per delivery that carries a coupon: what it says of it.
{{ config(materialized='incremental', pre_hook="{{ forget_new_stripe() }}") }}

with delivery as (

    select * from {{ ref('stg_stripe__delivery') }}
    where object_type = 'coupon'

),

said as (

    select * from {{ json_fields('delivery', 'object', stripe_coupon_fields()) }}

),

coupon as (

    select
        batch_seq,
        row_number,
        account,
        livemode,
        object_id as coupon_id,
        {{ stripe_object_key("'coupon'", 'object_id') }} as object_key,
        delivery_id,
        is_snapshot,
        type_rank,
        told_at,
        duration,
        percent_off_text,
        amount_off_text,
        off_currency,
        body_key
    from said

)

select * from coupon
