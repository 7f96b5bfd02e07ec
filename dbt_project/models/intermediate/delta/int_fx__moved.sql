-- Grain: one row per currency of which a rate changed since the published generation.
{%- set published = before('fx_rate', [
    'currency string', 'valid_from date', 'rate decimal(20,12)',
], schema='main') %}

with rate as (

    select currency, valid_from, rate from {{ ref('fx_rate') }}

),

published as (

    select currency, valid_from, rate from {{ published }}

),

moved as (

    (
        select * from rate
        except
        select * from published
    )
    union all
    (
        select * from published
        except
        select * from rate
    )

),

final as (

    select currency, min(valid_from) as moved_from
    from moved
    group by currency

)

select * from final
