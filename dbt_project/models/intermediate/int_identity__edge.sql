-- Grain: one row per pair of identifiers that one event carried together.
-- Of several events the first one that a server sent proves it, else the first one.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['left_key', 'right_key'],
    pre_hook="{{ forget_lost(['left_key', 'right_key']) }}",
) }}

with member as (

    select * from {{ ref('int_identity__member') }}

),

lost as (

    select identifier_key from {{ ref('int_identity__lost_identifier') }}

),

kept as (

    select * from {{ before('int_identity__edge', [
        'left_key bigint', 'right_key bigint',
        'left_type integer', 'right_type integer',
        'is_signed boolean', 'first_seen_at time', 'body_key bigint',
    ]) }}
    where
        left_key in (select identifier_key from member)
        and left_key not in (select identifier_key from lost)
        and right_key not in (select identifier_key from lost)

),

sight as (

    {{ pair_identifiers(ref('int_identity__id_set')) }}
    union all
    select
        left_key,
        right_key,
        left_type,
        right_type,
        is_signed,
        first_seen_at,
        body_key
    from kept

),

best_sight as (

    select
        left_key,
        right_key,
        any_value(left_type) as left_type,
        any_value(right_type) as right_type,
        min({{ proof(
            'case when is_signed then 0 else 1 end', 'first_seen_at', 'body_key'
        ) }}) as proof
    from sight
    group by left_key, right_key

),

edge as (

    select
        left_key,
        right_key,
        left_type,
        right_type,
        {{ proof_rank('proof') }} = 0 as is_signed,
        {{ proof_time('proof') }} as first_seen_at,
        {{ proof_body('proof') }} as body_key
    from best_sight

)

select * from edge
