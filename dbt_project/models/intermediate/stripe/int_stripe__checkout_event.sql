-- Grain: one row per event that a delivery tells of a checkout.
-- Its reference is the application's id of the user.
{{ config(materialized='ephemeral') }}

with delivery as (

    select * from {{ ref('stg_stripe__delivery') }}
    where object_type = 'checkout.session'

),

checkout as (

    select *
    from {{ json_fields('delivery', 'object', stripe_checkout_fields()) }}

),

event as (

    select
        batch_seq,
        row_number,
        landed_at,
        account,
        livemode,
        'checkout_completed' as event_type,
        object_id || ':checkout_completed' as event_name,
        object_id as source_id,
        case
            when is_snapshot then {{ epoch_time('created_text') }} else told_at
        end as occurred_at,
        told_at as received_at,
        {{ identifier_of('user_text') }} as user_id,
        cast(null as string) as email,
        customer_id as stripe_id,
        cast(null as string) as traits,
        {{ stripe_properties(texts=['subscription_id', 'checkout_mode']) }}
            as properties
    from checkout
    where event_type = 'checkout.session.completed' or checkout_status = 'complete'

)

select * from event
