-- Grain: one row per subscription that was told of by as_of: what held of it then.
{{ config(materialized='ephemeral') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

-- Nearly all: nothing is told of them after as_of, so what is stored holds.
settled as (

    select state.*
    from {{ ref('int_stripe__subscription') }} as state
    inner join build on state.last_told_at <= build.as_of

),

unsettled as (

    select state.subscription_key
    from {{ ref('int_stripe__subscription') }} as state
    inner join build on state.last_told_at > build.as_of

),

told_by_then as (

    select told.*
    from {{ ref('int_stripe__subscription_delivery') }} as told
    inner join build on told.told_at <= build.as_of
    where told.subscription_key in (select subscription_key from unsettled)

),

state as (

    select * from settled
    union all
    {{ stripe_subscription_states('told_by_then') }}

)

select * from state
