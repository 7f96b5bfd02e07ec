-- Grain: one row per touched subscription and telling that counted for a time.
{{ config(materialized='table') }}
{%- set in_time = stripe_order_by(progress=['chain_place', 'is_ended']) %}

with touched as (

    select subscription_key from {{ ref('int_stripe__touched_subscription') }}

),

told as (

    select
        *,
        is_deleted
        or coalesce(stripe_status in ('canceled', 'incomplete_expired'), false)
            as is_ended,
        case
            when is_ended then least(told_at, coalesce(ended_at, told_at)) else told_at
        end as holds_from
    from {{ with_places(ref('int_stripe__subscription_delivery')) }}
    where subscription_key in (select subscription_key from touched)

),

placed as (

    select
        *,
        row_number() over (
            partition by subscription_key {{ in_time }}
        ) as place,
        coalesce(bool_or(is_deleted) over (
            partition by subscription_key {{ in_time }}
            rows between unbounded preceding and 1 preceding
        ), false) as was_deleted
    from told

),

-- What was deleted stays deleted; what another telling replaces at once never held.
held as (

    select
        *,
        min(holds_from) over (
            partition by subscription_key order by place nulls last
            rows between 1 following and unbounded following
        ) as holds_to
    from placed
    where is_deleted or not was_deleted

),

as_told as (

    select *, holds_from as valid_from, holds_to as valid_to, false as is_assumed
    from held
    where holds_to is null or holds_to > holds_from

),

-- The first telling, unless it is of the creation, is taken to have held from the
-- start, but for what came between the subscription and its money.
assumed as (

    select *, started_at as valid_from, holds_from as valid_to, true as is_assumed
    from held
    where place = 1 and (type_rank > 0 or is_snapshot) and started_at < holds_from

),

state as (

    select * from as_told
    where not is_ended
    union all
    select * from assumed

),

final as (

    select
        *,
        case
            when not is_assumed or stripe_status = 'incomplete_expired'
                then stripe_status
            when is_ended or stripe_status in ('past_due', 'unpaid', 'paused')
                then 'active'
            else stripe_status
        end as status_then,
        pause_behavior is not null and not is_assumed as is_collection_paused
    from state

)

select * from final
