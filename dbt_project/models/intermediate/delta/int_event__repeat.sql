-- Grain: one row per delivery of an event that was delivered more than once.
with landed as (

    select
        source,
        event_id,
        received_at,
        body_key,
        batch_seq,
        row_number,
        occurred_at,
        event_type,
        cast(null as bigint) as stored_person_key,
        false as is_stored
    from {{ ref('stg_event') }}

),

published as (

    select * from {{ ref('int_event__published') }}

),

stored as (

    select
        published.source,
        published.event_id,
        published.received_at,
        published.body_key,
        published.batch_seq,
        cast(null as bigint) as row_number,
        published.occurred_at,
        published.event_type,
        published.person_key as stored_person_key,
        true as is_stored
    from published
    semi join landed
        on published.source = landed.source and published.event_id = landed.event_id

),

delivery as (

    select * from landed
    union all
    select * from stored

),

-- Few events repeat: one narrow pass finds them, and only they are sorted.
repeated as (

    select {{ row_hash(['source', 'event_id']) }} as event_hash
    from delivery
    group by event_hash
    having count(*) > 1

),

ranked as (

    select
        *,
        count(*) over (partition by source, event_id) as deliveries,
        row_number() over (
            partition by source, event_id
            order by
                received_at asc nulls last,
                body_key asc nulls last,
                is_stored desc nulls last,
                batch_seq asc nulls last,
                row_number asc nulls last
        ) as preference
    from delivery
    where {{ row_hash(['source', 'event_id']) }} in (select event_hash from repeated)

),

repeat as (

    select
        source,
        event_id,
        body_key,
        received_at,
        occurred_at,
        event_type,
        batch_seq,
        row_number,
        stored_person_key,
        is_stored,
        preference = 1 as is_winner
    from ranked
    where deliveries > 1

)

select * from repeat
