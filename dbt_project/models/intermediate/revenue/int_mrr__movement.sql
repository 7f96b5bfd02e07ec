-- Grain: one row per policy, item, plan, currency and day on which its worth moved.
-- As if nothing more will be told; movements that lie ahead are kept.
{{ config(materialized='incremental', pre_hook="{{ forget_touched_payers() }}") }}

with payer as (

    select payer.*
    from {{ ref('int_mrr__payer') }} as payer
    inner join {{ ref('int_mrr__touched_payer') }} as touched
        on payer.payer = touched.payer

),

period as (

    select period.*, payer.payer, payer.person_key
    from {{ ref('subscription_item_period') }} as period
    inner join payer on period.subscription_key = payer.subscription_key

),

movement as ({{ mrr_movements('period') }})

select * from movement
