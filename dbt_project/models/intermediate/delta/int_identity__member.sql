-- Grain: one row per identifier of each distinct set of identifiers on an event.
{{ config(materialized='view') }}

with member as ({{ unpivot_identifiers(ref('int_identity__id_set')) }})

select * from member
