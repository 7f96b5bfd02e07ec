-- Grain: one row per delivery of an event: landed as one, or derived from Stripe.
-- depends_on: {{ source('landing', 'event') }}
with delivery as (

    {{ event_deliveries() }}

)

select * from delivery
