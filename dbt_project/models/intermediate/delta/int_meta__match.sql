-- Grain: one row per copy of a Meta event whose match is looked for again.
-- Copies of one name and id match for 48 hours from the first of them, which counts, or
-- the first of the pixel if that came within 5 minutes.
with arrival as (

    select *, coalesce(received_at, occurred_at) as arrived_at
    from {{ ref('int_meta__copy') }}

),

opening as ({{ window_openings(
    'arrival', ['event_type', 'source_id'], 'arrived_at', "interval '48' hour"
) }}),

matched as (

    select
        arrival.*,
        opening.opened_at,
        arrival.channel = 'pixel'
        and arrival.arrived_at < {{ later('opening.opened_at', minutes=5) }}
            as is_preferred
    from arrival
    inner join opening
        on
            arrival.event_type = opening.event_type
            and arrival.source_id = opening.source_id
            and arrival.arrived_at >= opening.opened_at
            and arrival.arrived_at < {{ later('opening.opened_at', hours=48) }}

),

named as (

    select
        *,
        first_value(event_id) over (
            partition by event_type, source_id, opened_at
            order by
                is_preferred desc nulls last,
                arrived_at asc nulls last,
                body_key asc nulls last
        ) as counted_event_id
    from matched

),

final as (

    select *, event_id = counted_event_id as is_counted from named

)

select * from final
