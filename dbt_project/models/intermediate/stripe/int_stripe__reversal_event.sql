-- Grain: one row per event that a delivery tells of a refund or a dispute.
-- A telling that does not know whose money it was has no received_at: it counts only
-- where nothing else tells.
{{ config(materialized='ephemeral') }}

with delivery as (

    select * from {{ ref('stg_stripe__delivery') }}
    where
        object_type in ('refund', 'dispute')
        or (object_type = 'charge' and event_type = 'charge.refunded')

),

said as (

    select
        *,
        object_type = 'charge' as is_charge
    from {{ json_fields('delivery', 'object', stripe_reversal_fields()) }}

),

reversal_as_text as (

    select
        batch_seq,
        row_number,
        landed_at,
        account,
        livemode,
        customer_id,
        currency,
        case when object_type = 'dispute' then 'dispute' else 'refund' end as reversal,
        case when is_charge then listed_id else object_id end as source_id,
        case when is_charge then object_id else charge_id end as charge_id,
        case when is_charge then listed_reason else reason end as reason,
        case when is_charge then listed_amount_text else amount_text end as amount_text,
        case when is_charge then listed_created_text else created_text end
            as created_text
    from said

),

reversal as (

    select
        *,
        reversal || '_created' as event_type,
        {{ stripe_integer('amount_text') }} as amount_minor,
        {{ epoch_time('created_text') }} as occurred_at
    from reversal_as_text

),

event as (

    select
        batch_seq,
        row_number,
        landed_at,
        account,
        livemode,
        event_type,
        source_id || ':' || event_type as event_name,
        source_id,
        occurred_at,
        case when customer_id is not null then occurred_at end as received_at,
        cast(null as string) as user_id,
        cast(null as string) as email,
        customer_id as stripe_id,
        cast(null as string) as traits,
        {{ stripe_properties(
            texts=['charge_id', 'currency', 'reason'], numbers=['amount_minor']
        ) }} as properties
    from reversal

)

select * from event
