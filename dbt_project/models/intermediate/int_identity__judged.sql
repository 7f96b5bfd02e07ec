-- Grain: one row per pair of identifiers that one event carried, or a hand rule links.
-- Of a pair that has both, the hand rule counts.
{{ config(materialized='view') }}

with identifier as (

    select * from {{ ref('int_identity__identifier') }}

),

knot as (

    select * from {{ ref('int_identity__knot') }}

),

link as (

    select * from {{ hand_rules() }} as rule
    where kind = 'link'

),

edge as (

    select
        carried.left_key,
        carried.right_key,
        case when carried.is_signed then 'server' else 'browser' end as trust,
        carried.first_seen_at as observed_at,
        carried.body_key
    from {{ ref('int_identity__edge') }} as carried
    anti join link
        on carried.left_key = link.left_key and carried.right_key = link.right_key
    union all
    select
        link.left_key,
        link.right_key,
        'hand',
        greatest(one.first_seen_at, other.first_seen_at),
        cast(null as bigint)
    from link
    inner join identifier as one on link.left_key = one.identifier_key
    inner join identifier as other on link.right_key = other.identifier_key

),

judged as (

    select
        edge.left_key,
        edge.right_key,
        edge.trust,
        edge.observed_at,
        edge.body_key,
        coalesce(left_knot.kind, right_knot.kind, decided.rule) as refused_by,
        coalesce(left_knot.kind, right_knot.kind, decided.rule) is null as is_accepted
    from edge
    left join knot as left_knot on edge.left_key = left_knot.identifier_key
    left join knot as right_knot on edge.right_key = right_knot.identifier_key
    left join {{ ref('int_identity__decision') }} as decided
        on edge.left_key = decided.left_key and edge.right_key = decided.right_key

)

select * from judged
