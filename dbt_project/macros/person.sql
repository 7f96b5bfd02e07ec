{# What a person's events say, as of the last of them: used for the stored table and, over
   the events up to as_of, for persons that go on after it. #}
{% macro person_stats(events) %}
    select
        counted.person_key,
        counted.first_seen_at,
        counted.last_event_at,
        counted.total_events,
        counted.first_action_at,
        counted.last_action_at,
        counted.signup_at,
        first_touch.utm_source as source,
        first_touch.utm_medium as medium,
        first_touch.utm_campaign as campaign
    from (
        select
            person_key,
            min(occurred_at) as first_seen_at,
            max(occurred_at) as last_event_at,
            count(*) as total_events,
            min(occurred_at) filter (where is_action) as first_action_at,
            max(occurred_at) filter (where is_action) as last_action_at,
            min(occurred_at) filter (
                where event_type = 'signup_completed'
            ) as signup_at,
            min_by(body_key, (occurred_at, body_key)) as first_body_key
        from {{ events }}
        where person_key is not null
        group by person_key
    ) as counted
    inner join {{ events }} as first_touch
        on
            counted.person_key = first_touch.person_key
            and counted.first_body_key = first_touch.body_key
{% endmacro %}

{# One row per person of what its traits say. traits: rows of person_property that hold at
   one time. #}
{% macro person_profiles(traits) %}
    select
        person_key,
        {% for name in profile_columns() %}
        max(value) filter (where property = '{{ name }}') as {{ name }},
        {% endfor %}
        {{ json_object_of(
            'property',
            "case when value_type = 'text' then " ~ json_quote('value') ~ " else value end",
            "property not in (" ~ quoted(profile_columns()) ~ ")"
        ) }} as metadata
    from {{ traits }}
    where property not in ({{ quoted(computed_properties()) }})
    group by person_key
{% endmacro %}

{# Traits that are columns of person. #}
{% macro profile_columns() %}
    {{ return(['email', 'name', 'company', 'industry']) }}
{% endmacro %}

{# Properties that we compute; a trait of such a name stays in its event only. #}
{% macro computed_properties() %}
    {{ return([
        'usage_status', 'billing_status', 'billing_plan', 'mrr', 'status', 'signup_date',
        'cohort', 'source', 'medium', 'campaign', 'segment', 'total_spent',
    ]) }}
{% endmacro %}

{% macro quoted(names) %}'{{ names | join("', '") }}'{% endmacro %}

{# The label of a signup's week: its Monday (UTC), as text. #}
{% macro cohort_of(moment) -%}
    cast(cast(date_trunc('week', {{ moment }}) as date) as string)
{%- endmacro %}

{# Stays are made again for touched persons, and for everybody where a definition changed. #}
{% macro forget_stays() %}
    {%- set person = ref('int_touched_person') -%}
    {%- set made_again -%}
    person_key in (select person_key from {{ person }})
    {%- if changed_segments() %} or segment_id in ({{ quoted(changed_segments()) }}){% endif %}
    {%- endset -%}
    {{- forget(made_again) -}}
{% endmacro %}
