{# The days of a person add up to the person's events. #}
{% test adds_up_to_events(model) %}

with by_day as (

    select person_key, cast(sum(events) as bigint) as events
    from {{ touched(model) }} as daily
    group by person_key

),

counted as (

    select person_key, count(*) as events
    from {{ touched(ref('event')) }} as event
    where person_key is not null
    group by person_key

)

select coalesce(by_day.person_key, counted.person_key) as person_key
from by_day
full join counted on by_day.person_key = counted.person_key
where by_day.events is distinct from counted.events

{% endtest %}
