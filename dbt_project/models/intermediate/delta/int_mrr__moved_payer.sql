-- Grain: one row per subscription and payer, as they were or are, where it is another.
{%- set published = before('int_mrr__payer', [
    'subscription_key bigint', 'person_key bigint', 'payer string',
]) %}

with payer as (

    select subscription_key, person_key, payer
    from {{ of_unsettled_payer(ref('int_mrr__payer')) }}

),

published as (

    select subscription_key, person_key, payer
    from {{ of_unsettled_payer(published) }}

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

)

select * from moved
