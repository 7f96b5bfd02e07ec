-- Grain: one row per landed delivery of an event.
-- depends_on: {{ source('landing', 'event') }}
with landed as (

    select * from {{ landed('event') }}

),

delivery as (

    {{ select_delivery('landed') }}

)

select * from delivery
