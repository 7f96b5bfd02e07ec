-- Grain: one row per defined segment.
with segment as (

    select segment_id, name, display_order, definition_hash, has_history
    from {{ source('inputs', 'segment') }}

)

select * from segment
