-- Grain: one row per trial of which an end was told while it ran.
{{ config(materialized='ephemeral') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

trial as (

    select * from {{ ref('int_trial__span') }}

),

told as (

    select
        trial.subscription_key,
        trial.started_at,
        min_by(
            delivery.trial_end_at,
            (
                delivery.told_at,
                delivery.type_rank,
                coalesce(delivery.chain_place, 0),
                delivery.delivery_id
            )
        ) as first_end_at,
        max_by(
            delivery.trial_end_at,
            (
                delivery.told_at,
                delivery.type_rank,
                coalesce(delivery.chain_place, 0),
                delivery.delivery_id
            )
        ) as last_end_at,
        max(delivery.trial_end_at) as latest_end_at
    from trial
    inner join {{ with_places(ref('int_stripe__subscription_delivery')) }} as delivery
        on
            trial.subscription_key = delivery.subscription_key
            and trial.started_at <= delivery.told_at
            and (trial.ended_at is null or trial.ended_at > delivery.told_at)
    inner join build on delivery.told_at <= build.as_of
    where delivery.stripe_status = 'trialing' and delivery.trial_end_at is not null
    group by trial.subscription_key, trial.started_at

)

select * from told
