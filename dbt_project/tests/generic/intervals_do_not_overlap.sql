{# The intervals of each key are not empty and follow each other. #}
{% test intervals_do_not_overlap(model, key, valid_from, valid_to) %}

with followed as (

    select
        {{ key | join(', ') }},
        {{ valid_from }},
        {{ valid_to }},
        lead({{ valid_from }}) over (
            partition by {{ key | join(', ') }} order by {{ valid_from }} nulls last
        ) as next_from
    from {{ model }}

)

select * from followed
where
    {{ valid_to }} <= {{ valid_from }}
    or next_from < coalesce({{ valid_to }}, next_from + interval '1' day)

{% endtest %}
