-- Grain: one row per customer of Stripe and user of the application: whose it is.
{{ config(materialized='ephemeral') }}

with owner as (

    select
        identifier.id_type,
        identifier.id_value,
        {{ alias_of('survivor') }} as person_id,
        owner.person_key
    from {{ ref('int_identity__identifier') }} as identifier
    inner join {{ ref('int_identity__owner') }} as owner
        on identifier.identifier_key = owner.identifier_key
    left join {{ ref('int_identity__identifier') }} as survivor
        on owner.person_key = survivor.identifier_key
    where identifier.id_type in ('stripe_id', 'user_id')

)

select * from owner
