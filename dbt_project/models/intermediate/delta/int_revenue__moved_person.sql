-- Grain: one row per person, as they were or are, of whom a money line changed.
{{ config(materialized='ephemeral') }}

{%- set published = before('int_revenue__line', [
    'object_key bigint', 'line_id string', 'person_key bigint', 'occurred_at time',
    'reporting_amount decimal(38,15)', 'is_revenue boolean', 'livemode boolean',
]) %}

with line as (

    select line_id, person_key, occurred_at, reporting_amount
    from {{ of_touched_money(ref('int_revenue__line')) }}
    where is_revenue and livemode and person_key is not null

),

published as (

    select line_id, person_key, occurred_at, reporting_amount
    from {{ of_touched_money(published) }}
    where is_revenue and livemode and person_key is not null

),

moved as (

    (
        select * from line
        except
        select * from published
    )
    union all
    (
        select * from published
        except
        select * from line
    )

),

final as (

    select distinct person_key from moved

)

select * from final
