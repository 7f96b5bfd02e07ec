-- Grain: one row per payer, as they were or are, whose subscriptions changed.
{%- set published = before('int_mrr__payer', [
    'subscription_key bigint', 'person_key bigint', 'payer string',
]) %}

with payer as (

    select subscription_key, person_key, payer from {{ ref('int_mrr__payer') }}

),

published as (

    select subscription_key, person_key, payer from {{ published }}

),

moved as (

    (
        select * from payer
        except
        select * from published
    )
    union all
    (
        select * from published
        except
        select * from payer
    )

),

touched as (

    select payer from moved
    union
    select payer.payer
    from payer
    inner join {{ ref('int_stripe__touched_subscription') }} as touched_subscription
        on payer.subscription_key = touched_subscription.subscription_key

)

select * from touched
