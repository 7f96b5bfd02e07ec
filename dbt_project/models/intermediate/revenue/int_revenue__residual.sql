-- Grain: one row per telling of a charge that gives back more than its refunds say.
-- Refunds that nobody told otherwise follow from what their charge says in sum.
{{ config(materialized='ephemeral') }}

with told as (

    select
        *,
        row_number() over (
            partition by account, livemode, charge_id
            {{ stripe_order_by(progress=['progress']) }}
        ) as place,
        max(told_at) over (partition by account, livemode, charge_id) as last_told_at
    from {{ of_touched_money(ref('int_stripe__money_delivery')) }}
    where object_type = 'charge' and refunded_minor is not null

),

charge as (

    select * from told
    qualify
        bool_or(refunded_minor > 0) over (partition by account, livemode, charge_id)

),

-- One that failed counts until a later telling of its charge can know of that.
known as (

    select
        charge.account,
        charge.livemode,
        charge.charge_id,
        charge.place,
        cast(sum(refund.amount_minor) as bigint) as known_minor
    from charge
    inner join {{ of_touched_money(ref('int_stripe__money')) }} as refund
        on
            charge.account = refund.account
            and charge.livemode = refund.livemode
            and charge.charge_id = refund.charge_id
            and refund.object_type = 'refund'
            and charge.told_at >= refund.created_at
    where
        coalesce(refund.status not in ('failed', 'canceled'), true)
        or charge.last_told_at < refund.told_at
    group by charge.account, charge.livemode, charge.charge_id, charge.place

),

untold as (

    select
        charge.*,
        greatest(charge.refunded_minor - coalesce(known.known_minor, 0), 0)
            as untold_minor
    from charge
    left join known
        on
            charge.account = known.account
            and charge.livemode = known.livemode
            and charge.charge_id = known.charge_id
            and charge.place = known.place

),

-- What a later telling takes back was never given.
kept as (

    select
        *,
        min(untold_minor) over (
            partition by account, livemode, charge_id order by place nulls last
            rows between current row and unbounded following
        ) as kept_minor
    from untold

),

step as (

    select
        *,
        kept_minor - lag(kept_minor, 1, 0) over (
            partition by account, livemode, charge_id order by place nulls last
        ) as amount_minor_untold
    from kept

),

final as (

    select
        account,
        livemode,
        object_key,
        charge_id,
        customer_id,
        intent_id,
        currency,
        told_at as occurred_at,
        cast(amount_minor_untold as bigint) as amount_minor,
        cast(kept_minor as bigint) as so_far_minor
    from step
    where amount_minor_untold > 0

)

select * from final
