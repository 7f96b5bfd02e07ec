-- Grain: one row per charge, refund, dispute, credit note and invoice payment: what
-- holds of it after all that was told.
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_told_again(ref('int_stripe__money_delivery'), 'object_key') }}",
) }}

{%- set lost_at = "min(case when status = 'lost' and not is_snapshot then told_at end)"
    ~ ' over (partition by object_key) as lost_at' %}

with told as (

    select * from {{ told_again(ref('int_stripe__money_delivery'), 'object_key') }}

),

state as ({{ stripe_states('told', 'object_key', ['progress'], told_too=[lost_at]) }})

select * from state
