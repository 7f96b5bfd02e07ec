-- Grain: one row per event that a delivery tells of a customer.
-- What a customer was at its creation only the event of its creation says.
{{ config(materialized='ephemeral') }}

with delivery as (

    select * from {{ ref('stg_stripe__delivery') }}
    where object_type = 'customer' and event_type is distinct from 'customer.deleted'

),

said as (

    select * from {{ json_fields('delivery', 'object', stripe_customer_fields()) }}

),

customer as (

    select
        *,
        coalesce(event_type = 'customer.created', false) as is_creation,
        {{ identifier_of('user_text') }} as user_id,
        {{ address_of('email_text') }} as email,
        {{ stripe_properties(texts=['name', 'country']) }} as traits
    from said
    where coalesce(deleted_text, '') <> 'true'

),

happened as (

    select
        *,
        'customer_created' as kind,
        '' as part,
        {{ epoch_time('created_text') }} as occurred_at
    from customer
    union all
    select
        *,
        'customer_updated',
        ':' || case
            when is_snapshot then cast({{ epoch_micros('told_at') }} as string)
            else delivery_id
        end,
        told_at
    from customer
    where not is_creation

),

event as (

    select
        batch_seq,
        row_number,
        landed_at,
        account,
        livemode,
        kind as event_type,
        object_id || ':' || kind || part as event_name,
        object_id as source_id,
        occurred_at,
        told_at as received_at,
        case when is_creation or kind = 'customer_updated' then user_id end as user_id,
        case when is_creation or kind = 'customer_updated' then email end as email,
        object_id as stripe_id,
        case
            when is_creation or kind = 'customer_updated' then nullif(traits, '{}')
        end as traits,
        '{}' as properties
    from happened

)

select * from event
