-- Grain: one row per person: what its events say, as of the last of them.
{{ config(materialized='incremental', pre_hook="{{ forget_touched() }}") }}

with event as (

    select * from {{ touched(ref('event')) }}

),

stat as ({{ person_stats('event') }})

select * from stat
