{# The times at which windows of one length open, one row each: with the first row of a key,
   and with its first row that lies in no window opened before. Columns: the key and
   opened_at. #}
{% macro window_openings(relation, key, moment, length) %}
    {{- adapter.dispatch('window_openings', 'growth_data_plane')(
        relation, key, moment, length
    ) -}}
{% endmacro %}

{% macro duckdb__window_openings(relation, key, moment, length) %}
    with recursive next_opening as (
        select distinct
            {{ key | join(', ') }},
            {{ moment }} as opened_at,
            min({{ moment }}) over (
                partition by {{ key | join(', ') }}
                order by {{ moment }}
                range between {{ length }} following and unbounded following
            ) as next_at
        from {{ relation }}
    ),

    opening as (
        select {{ key | join(', ') }}, min(opened_at) as opened_at
        from next_opening
        group by {{ key | join(', ') }}
        union all
        select
            {% for name in key %}opening.{{ name }}, {% endfor %}next_opening.next_at
        from opening
        inner join next_opening
            on
                {% for name in key %}
                opening.{{ name }} = next_opening.{{ name }} and
                {% endfor %}
                opening.opened_at = next_opening.opened_at
        where next_opening.next_at is not null
    )

    select {{ key | join(', ') }}, opened_at from opening
{% endmacro %}
