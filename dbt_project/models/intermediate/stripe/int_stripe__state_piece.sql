-- Grain: one row per piece of a state in which neither discounts nor payments change.
{{ config(materialized='ephemeral') }}

with state as (

    select subscription_key, valid_from, valid_to, is_assumed, status_then, trial_end_at
    from {{ ref('int_stripe__subscription_state') }}

),

-- Attempts to collect that failed, and payments.
payment as (

    select distinct subscription_key, told_at as moment, true as is_failure
    from {{ ref('int_stripe__invoice_delivery') }}
    where is_failure
    union
    select subscription_key, payment_at, false
    from {{ ref('int_stripe__invoice_delivery') }}
    where is_paid and payment_at is not null

),

collected as (

    select state.subscription_key, state.valid_from, payment.moment, payment.is_failure
    from state
    inner join payment
        on
            state.subscription_key = payment.subscription_key
            and state.valid_from < payment.moment
            and (state.valid_to is null or state.valid_to > payment.moment)
    where state.status_then = 'active' and not state.is_assumed

),

boundary as (

    select subscription_key, valid_from, valid_from as moment from state
    union
    select subscription_key, valid_from, trial_end_at from state
    where is_assumed
    union
    select subscription_key, valid_from, starts_at
    from {{ ref('int_stripe__state_discount') }}
    union
    select subscription_key, valid_from, ends_at
    from {{ ref('int_stripe__state_discount') }}
    union
    select subscription_key, valid_from, moment from collected

),

cut as (

    select
        state.*,
        boundary.moment as piece_from,
        lead(boundary.moment, 1, state.valid_to) over (
            partition by state.subscription_key, state.valid_from
            order by boundary.moment nulls last
        ) as piece_to
    from state
    inner join boundary
        on
            state.subscription_key = boundary.subscription_key
            and state.valid_from = boundary.valid_from
            and state.valid_from <= boundary.moment
            and (state.valid_to is null or state.valid_to > boundary.moment)

),

paid as (

    select
        cut.subscription_key,
        cut.piece_from,
        max(collected.moment) filter (where collected.is_failure) as failed_at,
        max(collected.moment) filter (where not collected.is_failure) as paid_at
    from cut
    inner join collected
        on
            cut.subscription_key = collected.subscription_key
            and cut.valid_from = collected.valid_from
            and cut.piece_from >= collected.moment
    group by cut.subscription_key, cut.piece_from

),

final as (

    select
        cut.subscription_key,
        cut.valid_from,
        cut.piece_from,
        cut.piece_to,
        case
            when paid.failed_at > coalesce(paid.paid_at, cut.valid_from) then 'past_due'
            when cut.is_assumed and cut.piece_from < cut.trial_end_at then 'trialing'
            else cut.status_then
        end as status
    from cut
    left join paid
        on
            cut.subscription_key = paid.subscription_key
            and cut.piece_from = paid.piece_from

)

select * from final
