-- Grain: one row per delivery and charge, refund, dispute, credit note or invoice
-- payment in it: what it says of it. A charge may list its refunds.
{{ config(materialized='incremental', pre_hook="{{ forget_new_stripe() }}") }}

{%- set place = [
    'batch_seq', 'row_number', 'account', 'livemode', 'delivery_id', 'is_snapshot',
    'event_type', 'type_rank', 'told_at', 'body_key',
] %}

with delivery as (

    select * from {{ ref('stg_stripe__delivery') }}
    where
        object_type in ('charge', 'refund', 'dispute', 'credit_note', 'invoice_payment')

),

charge as (

    select
        {{ place | join(', ') }},
        {{ json_part('object', 'refunds.data') }} as refunds
    from delivery
    where object_type = 'charge'

),

listed as (

    select
        {{ place | join(', ') }},
        'refund' as object_type,
        {{ json_text('element', 'id') }} as object_id,
        element as object
    from {{ json_elements('charge', 'refunds') }}

),

carried as (

    select {{ place | join(', ') }}, object_type, object_id, object from delivery
    union all
    select {{ place | join(', ') }}, object_type, object_id, object from listed
    where object_id is not null

),

said as (

    select
        *,
        object_type = 'charge'
        and coalesce({{ json_part('object', 'invoice') }} = 'null', false)
            as is_without_invoice
    from {{ json_fields('carried', 'object', stripe_money_fields()) }}

),

money as (

    select
        {{ place | join(', ') }},
        object_type,
        object_id,
        {{ stripe_object_key('object_type', 'object_id') }} as object_key,
        customer_id,
        case when object_type = 'charge' then object_id else charge_id end as charge_id,
        intent_id,
        invoice_id,
        is_without_invoice,
        coalesce(status, case when paid_flag = 'true' then 'succeeded' end) as status,
        lower(currency_text) as currency,
        {{ stripe_integer('coalesce(captured_text, amount_text)') }} as amount_minor,
        {{ stripe_integer('refunded_text') }} as refunded_minor,
        {{ stripe_integer('out_of_band_text') }} as out_of_band_minor,
        {{ stripe_integer('fee_text') }} as fee_minor,
        lower(fee_currency_text) as fee_currency,
        {{ epoch_time('created_text') }} as created_at,
        reason
    from said

),

final as (

    select
        *,
        case
            when object_type = 'charge' then coalesce(refunded_minor, 0)
            else {{ money_progress() }}
        end as progress
    from money

)

select * from final
