-- Grain: one row per delivery of Stripe that carries an object with an id, however
-- often it landed.
-- depends_on: {{ source('landing', 'stripe') }}
with landed as (

    select landed.*
    from {{ landed('stripe') }} as landed
    left join {{ ref('int_stripe__repeat') }} as repeat
        on
            landed.batch_seq = repeat.batch_seq
            and landed.file_row_number = repeat.row_number
    where landed.object_id is not null and repeat.batch_seq is null

),

delivery as (

    select
        batch_seq,
        file_row_number as row_number,
        landed_at,
        account,
        coalesce(livemode, true) as livemode,
        delivery_id,
        kind = 'object' as is_snapshot,
        event_type,
        case
            when event_type like '%.created' then 0
            when event_type like '%.deleted' then 2
            else 1
        end as type_rank,
        coalesce(created_at, fetched_at) as told_at,
        object_type,
        object_id,
        case
            when kind = 'event' then {{ json_part('body', 'data.object') }} else body
        end as object,
        case
            when kind = 'event' then {{ json_part('body', 'data.previous_attributes') }}
        end as previous,
        body_key
    from landed

)

select * from delivery
