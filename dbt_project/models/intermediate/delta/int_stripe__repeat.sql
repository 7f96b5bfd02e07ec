-- Grain: one row per new landed delivery of Stripe whose equal has landed before.
-- It landed because it was received earlier, which says when it was known and no more.
{{ config(materialized='table') }}
-- depends_on: {{ source('landing', 'stripe') }}

with landed as (

    select batch_seq, file_row_number, body_key, fetched_at
    from {{ landed('stripe', history=true) }}

),

{% if is_increment() -%}
arrived as (

    select distinct body_key from {{ landed('stripe') }}

),

told as (

    select landed.*
    from landed
    inner join arrived on landed.body_key = arrived.body_key

),

{% endif -%}
numbered as (

    select
        *,
        row_number() over (
            partition by body_key, fetched_at
            order by batch_seq nulls last, file_row_number nulls last
        ) as nth
    from {{ 'told' if is_increment() else 'landed' }}

),

final as (

    select batch_seq, file_row_number as row_number
    from numbered
    where nth > 1

)

select * from final
