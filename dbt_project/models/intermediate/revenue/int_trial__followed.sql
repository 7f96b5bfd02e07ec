-- Grain: one row per trial after which the subscription was active.
{{ config(materialized='ephemeral') }}

with build as (

    select as_of from {{ ref('build_info') }}

),

trial as (

    select * from {{ ref('int_trial__span') }}

),

followed as (

    select
        trial.subscription_key,
        trial.started_at,
        count(*) > 0 as was_active
    from trial
    inner join {{ ref('subscription_item_period') }} as period
        on
            trial.subscription_key = period.subscription_key
            and trial.ended_at <= period.valid_from
            and (
                trial.next_started_at is null
                or trial.next_started_at > period.valid_from
            )
    inner join build on period.valid_from <= build.as_of
    where period.status = 'active'
    group by trial.subscription_key, trial.started_at

)

select * from followed
