{# No two rows agree in the columns. One narrow pass finds candidates by a hash.
   among: of an increment, only rows that agree with one of these are looked at. #}
{% test unique_rows(model, columns, among=none) %}

with candidate as (

    select {{ row_hash(columns) }} as row_hash
    from {{ model }}
    {% if among and is_increment() %}
    where {{ row_hash(columns) }} in (
        select {{ row_hash(columns) }} from {{ model }}
        where {{ is_new_event() if among == 'new_event' else is_touched() }}
    )
    {% endif %}
    group by row_hash
    having count(*) > 1

)

select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
where {{ row_hash(columns) }} in (select row_hash from candidate)
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
