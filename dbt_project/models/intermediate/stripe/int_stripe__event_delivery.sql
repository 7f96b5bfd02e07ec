-- Grain: one row per event that a delivery of Stripe tells.
-- Each row follows from one delivery alone. Several deliveries that tell one fact give
-- one event_id; of them the smallest (received_at, body_key) counts, as for any event.
-- received_at is the time of the telling, or of the fact where all tellings know it.
{{ config(materialized='incremental', pre_hook="{{ forget_new_stripe() }}") }}

with told as (

    select * from {{ ref('int_stripe__customer_event') }}
    union all
    select * from {{ ref('int_stripe__subscription_event') }}
    union all
    select * from {{ ref('int_stripe__invoice_event') }}
    union all
    select * from {{ ref('int_stripe__reversal_event') }}
    union all
    select * from {{ ref('int_stripe__checkout_event') }}

),

event as (

    select
        batch_seq,
        row_number,
        landed_at,
        'stripe' as source,
        {{ stripe_name('event_name') }} as event_id,
        source_id,
        event_type,
        occurred_at,
        received_at,
        user_id,
        email,
        {{ identifier_of('stripe_id') }} as stripe_id,
        properties,
        traits,
        '{"livemode":' || case when livemode then 'true' else 'false' end
        || case
            when account <> '' then ',"account":' || {{ json_quote('account') }} else ''
        end || '}' as metadata
    from told
    where occurred_at is not null and event_name is not null

),

written as (

    select
        *,
        concat_ws(
            '|',
            event_id,
            source_id,
            {{ epoch_micros('occurred_at') }},
            'received ' || {{ epoch_micros('received_at') }},
            'user_id ' || user_id,
            'email ' || email,
            'stripe_id ' || stripe_id,
            'traits ' || traits,
            properties,
            metadata
        ) as content
    from event

),

keyed as (

    select *, {{ key_of(sha256_hex('content')) }} as body_key from written

),

delivery as ({{ select_stripe_event('keyed') }})

select * from delivery
