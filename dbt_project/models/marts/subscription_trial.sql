-- Grain: one row per trial of a subscription that had begun by as_of: how it went.
{{ config(materialized='view') }}

with judged as (

    select
        trial.*,
        told.first_end_at,
        told.last_end_at,
        told.latest_end_at,
        billed.converted_at,
        coalesce(followed.was_active, false)
        and not coalesce(billed.is_billed, false) as was_active_unbilled,
        coalesce(billed.is_settled, false) as is_settled
    from {{ ref('int_trial__span') }} as trial
    left join {{ ref('int_trial__told_end') }} as told
        on
            trial.subscription_key = told.subscription_key
            and trial.started_at = told.started_at
    left join {{ ref('int_trial__billed') }} as billed
        on
            trial.subscription_key = billed.subscription_key
            and trial.started_at = billed.started_at
    left join {{ ref('int_trial__followed') }} as followed
        on
            trial.subscription_key = followed.subscription_key
            and trial.started_at = followed.started_at

),

final as (

    select
        judged.subscription_id,
        judged.subscription_key,
        payer.person_id,
        payer.person_key,
        judged.stripe_subscription_id,
        judged.account,
        judged.livemode,
        judged.plan_id,
        judged.plan_name,
        judged.product_id,
        judged.currency,
        judged.started_at,
        coalesce(judged.first_end_at, state.trial_end_at) as first_end_at,
        coalesce(judged.last_end_at, state.trial_end_at) as end_at,
        judged.ended_at,
        coalesce(judged.latest_end_at > judged.first_end_at, false) as is_extended,
        case
            when judged.ended_at is null then 'running'
            when judged.converted_at is not null then 'converted'
            when judged.was_active_unbilled then 'converted'
            when
                judged.next_started_at is not null
                or state.is_deleted
                or state.stripe_status in ('canceled', 'incomplete_expired')
                then 'churned'
            when state.stripe_status = 'paused' then 'paused'
            when judged.is_settled then 'free'
            else 'unpaid'
        end as outcome,
        case
            when judged.ended_at is null then null
            when judged.converted_at is not null then judged.converted_at
            when judged.was_active_unbilled then judged.ended_at
        end as converted_at
    from judged
    inner join {{ ref('int_stripe__subscription_at_as_of') }} as state
        on judged.subscription_key = state.subscription_key
    left join {{ ref('int_mrr__payer') }} as payer
        on judged.subscription_key = payer.subscription_key

)

select * from final
