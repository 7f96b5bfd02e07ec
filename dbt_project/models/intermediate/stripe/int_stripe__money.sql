-- Grain: one row per charge, refund, dispute, credit note and invoice payment: what
-- holds of it after all that was told.
{%- set key = 'account, livemode, object_type, object_id' %}
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_told_again(
        ref('int_stripe__money_delivery'), 'account, livemode, object_type, object_id'
    ) }}",
) }}

with touched as (

    select distinct {{ key }} from {{ new_of(ref('int_stripe__money_delivery')) }}

),

told as (

    select delivery.*
    from {{ ref('int_stripe__money_delivery') }} as delivery
    inner join touched
        on
            delivery.account = touched.account
            and delivery.livemode = touched.livemode
            and delivery.object_type = touched.object_type
            and delivery.object_id = touched.object_id

),

state as (

    select
        *,
        min(case when status = 'lost' and not is_snapshot then told_at end) over (
            partition by {{ key }}
        ) as lost_at
    from told
    qualify
        row_number() over (
            partition by {{ key }} {{ stripe_order_by('desc', progress='progress') }}
        ) = 1

)

select * from state
