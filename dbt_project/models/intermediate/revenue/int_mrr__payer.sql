-- Grain: one row per subscription: who pays for it.
-- Whose it is by the customer, else by the user that its metadata names.
{{ config(materialized='incremental', pre_hook="{{ forget_payers() }}") }}

with state as (

    select * from {{ of_unsettled_payer(ref('int_stripe__subscription')) }}

),

owner as (

    select * from {{ ref('int_stripe__owner') }}

),

payer as (

    select
        state.subscription_key,
        coalesce(customer.person_id, account_user.person_id) as person_id,
        coalesce(customer.person_key, account_user.person_key) as person_key,
        coalesce(
            customer.person_id,
            account_user.person_id,
            'customer ' || state.customer_id,
            'subscription ' || state.subscription_id
        ) as payer
    from state
    left join owner as customer
        on customer.id_type = 'stripe_id' and state.customer_id = customer.id_value
    left join owner as account_user
        on account_user.id_type = 'user_id' and state.user_id = account_user.id_value

)

select * from payer
