-- Grain: one row per subscription whose payer is looked for again.
-- What is told of it, or whose its customer or user is, is new.
with told as (

    select subscription_key
    from {{ new_of(ref('int_stripe__subscription_delivery')) }}

),

customer as (

    select id_value from {{ ref('int_stripe__moved_owner') }}
    where id_type = 'stripe_id'

),

account_user as (

    select id_value from {{ ref('int_stripe__moved_owner') }}
    where id_type = 'user_id'

),

final as (

    select subscription_key from told
    union
    select subscription_key
    from {{ ref('int_stripe__subscription') }}
    where
        customer_id in (select id_value from customer)
        or user_id in (select id_value from account_user)

)

select * from final
