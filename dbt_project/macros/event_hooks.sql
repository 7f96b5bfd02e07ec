{# What must happen to stored events before new ones are added. #}

{# Out go the events whose body lost to a new one. #}
{% macro forget_displaced_events() %}
    {%- set repeat = ref('int_event__repeat') -%}
    {%- set displaced -%}
    body_key in (select body_key from {{ repeat }} where is_stored and not is_winner)
    {%- endset -%}
    {{- forget(displaced) -}}
{% endmacro %}

{# And whatever of the new batches a build by hand that failed half way has left. #}
{% macro forget_new_batches() %}
    {{- forget('batch_seq in (select batch_seq from ' ~ landed('event') ~ ')') -}}
{% endmacro %}

{# An event follows its identifier to the person that owns it now. #}
{% macro move_events_to_their_owner() %}
    {%- set owner = ref('int_identity__owner') -%}
    {%- if is_increment() -%}
    update {{ this }} as event
    set person_key = moved.person_key
    from (
        select owner.identifier_key, owner.person_key
        from {{ owner }} as owner
        inner join prev.intermediate.int_identity__owner as published
            on owner.identifier_key = published.identifier_key
        where owner.person_key <> published.person_key
    ) as moved
    where event.identifier_key = moved.identifier_key
    {%- endif -%}
{% endmacro %}

{% macro forget_repeated() %}
    {%- set repeat = ref('int_event__repeat') -%}
    {{- forget('(source, event_id) in (select (source, event_id) from ' ~ repeat ~ ')') -}}
{% endmacro %}
