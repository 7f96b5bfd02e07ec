{# In the reporting currency, too, start and movements with that of rates are the end, the
   start is the end of the day before, and the end is what stands at the day's rate, but
   for roundings in the fifteenth digit. What has no amount says why. #}
{% test reporting_mrr_ties_out(model) %}

with day as (

    select
        *,
        lag(end_reporting_arr, 1, 0) over (
            partition by {{ mrr_daily_key() | join(', ') }} order by day nulls last
        ) as ended_before
    from {{ model }}

)

select day.*
from day
left join {{ ref('fx_rate') }} as rate
    on {{ is_rate_of('rate', 'day.currency', 'day.day') }}
where
    (day.end_reporting_arr is null) <> (day.unreported_because is not null)
    or day.start_reporting_arr <> day.ended_before
    or day.end_reporting_arr <> day.start_reporting_arr
    {%- for movement in mrr_movement_kinds() + ['fx'] %}
    + day.{{ movement }}_reporting_arr
    {%- endfor %}
    or abs(
        day.end_reporting_arr - {{ reporting_amount('day.end_arr', 'rate.rate') }}
    ) > 0.000000001

{% endtest %}
