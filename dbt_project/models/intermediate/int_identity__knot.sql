-- Grain: one row per identifier whose edges join nobody.
-- A hub was seen with too many users or Stripe customers; a device that several users
-- had belongs to each of them for a while (int_identity__owner).
{{ config(materialized='incremental', pre_hook="{{ forget_affected() }}") }}

{%- set known = numbers_of(['user_id', 'stripe_id']) %}

with edge as (

    select * from {{ ref('int_identity__edge') }}

),

neighbour as (

    select
        left_key as identifier_key,
        left_type as id_type,
        right_type as other_type
    from edge
    where right_type in ({{ known }})
    union all
    select right_key, right_type, left_type
    from edge
    where left_type in ({{ known }})

),

counted as (

    select
        identifier_key,
        any_value(id_type) as id_type,
        count(*) as seen_with,
        count(*) filter (where other_type = {{ numbers_of(['user_id']) }}) as users
    from {{ of_affected('neighbour') }} as near
    group by identifier_key
    having count(*) > 1

),

knot as (

    select
        identifier_key,
        case when seen_with > {{ hub_threshold() }} then 'hub' else 'shared_device' end
            as kind,
        seen_with
    from counted
    where
        seen_with > {{ hub_threshold() }}
        or (id_type in ({{ numbers_of(['anonymous_id', 'device_id']) }}) and users > 1)

)

select * from knot
