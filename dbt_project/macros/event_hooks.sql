{# What must happen to stored events before new ones are added. #}

{# Out go the events that no longer count. #}
{% macro forget_displaced_events() %}
    {{- forget('body_key in (select body_key from ' ~ ref('int_event__displaced') ~ ')') -}}
{% endmacro %}

{# And whatever a build by hand that failed half way has left: events of the new batches, and
   copies of Meta events that count again. #}
{% macro forget_new_batches() %}
    {%- set copy = ref('int_meta__match') -%}
    {%- set left_over -%}
    {{ is_of_new_batch() }}
    or body_key in (select body_key from {{ copy }} where is_counted and not was_counted)
    {%- endset -%}
    {{- forget(left_over) -}}
{% endmacro %}

{# Copies of Meta events are written anew with all that may match them. #}
{% macro forget_matched_again() %}
    {%- set copy = ref('int_meta__match') -%}
    {%- set displaced = ref('int_event__displaced') -%}
    {%- set matched_again -%}
    (event_type, source_id) in (select (event_type, source_id) from {{ copy }})
    or body_key in (select body_key from {{ displaced }})
    {%- endset -%}
    {{- forget(matched_again) -}}
{% endmacro %}

{# An event follows its identifier to the person that owns it now. #}
{% macro move_events_to_their_owner() %}
    {%- set owner = ref('int_identity__owner') -%}
    {%- set affected = ref('int_identity__affected') -%}
    {%- if is_increment() -%}
    update {{ this }} as event
    set person_key = moved.person_key
    from (
        select identifier_key, person_key, valid_from, valid_to from {{ owner }}
        where identifier_key in (select identifier_key from {{ affected }})
        except
        select identifier_key, person_key, valid_from, valid_to
        from prev.intermediate.int_identity__owner
    ) as moved
    where
        event.identifier_key = moved.identifier_key
        and event.person_key <> moved.person_key
        and {{ owned_then('event', 'moved') }}
    {%- endif -%}
{% endmacro %}

{% macro forget_repeated() %}
    {%- set repeat = ref('int_event__repeat') -%}
    {{- forget('(source, event_id) in (select (source, event_id) from ' ~ repeat ~ ')') -}}
{% endmacro %}
