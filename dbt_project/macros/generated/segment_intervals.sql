{# The shipped project has no segments: a build replaces this file by the compiled
   definitions. #}
{% macro segment_intervals() %}
    select
        cast(null as string) as segment_id,
        cast(null as bigint) as person_key,
        cast(null as {{ time_type() }}) as entered_at,
        cast(null as {{ time_type() }}) as exited_at
    where false
{% endmacro %}
