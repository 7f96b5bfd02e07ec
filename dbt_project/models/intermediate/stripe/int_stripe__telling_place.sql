-- Grain: one row per telling of a subscription of which updates of one second are a
-- chain: its place in the order of time.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_told_again(
        ref('int_stripe__subscription_delivery'), 'subscription_key'
    ) }}",
) }}

with told as (

    select again.*, {{ has_ended('again') }} as is_over
    from
        {{ told_again(ref('int_stripe__subscription_delivery'), 'subscription_key') }}
            as again

),

place as (

    select * from {{ placed_tellings('told', 'subscription_key') }}

)

select * from place
