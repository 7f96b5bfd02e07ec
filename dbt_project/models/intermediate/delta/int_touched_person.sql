-- Grain: one row per person that this build makes again.
-- The owners, before and now, of every identifier that is affected, and whose
-- subscriptions are told of, or whose money.
with affected as (

    select * from {{ ref('int_identity__affected') }}

),

published as (

    select * from {{ before('int_identity__owner', [
        'identifier_key bigint', 'person_key bigint',
    ]) }}

),

touched as (

    select published.person_key
    from published
    inner join affected on published.identifier_key = affected.identifier_key
    union
    select owner.person_key
    from {{ ref('int_identity__owner') }} as owner
    inner join affected on owner.identifier_key = affected.identifier_key
    union
    select payer.person_key
    from {{ ref('int_mrr__payer') }} as payer
    inner join {{ ref('int_stripe__touched_subscription') }} as subscription
        on payer.subscription_key = subscription.subscription_key
    where payer.person_key is not null
    union
    select person_key from {{ ref('int_revenue__moved_person') }}

)

select * from touched
