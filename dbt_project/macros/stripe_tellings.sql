{# The fold: of all that was told of each object by some time, what holds, which is the last
   telling in the order of time. key: the column of the object; first: what goes before all
   order, as what was deleted stays deleted; told_too: more columns, of all its tellings. #}
{% macro stripe_states(told, key, progress, first='', told_too=[]) %}
    select
        *
        {%- for column in told_too %},
        {{ column }}
        {%- endfor %}
    from {{ told }}
    qualify
        row_number() over (
            partition by {{ key }}
            {{ stripe_order_by('desc', first, progress) }}
        ) = 1
{% endmacro %}

{# The place of a telling of a subscription in the order of time: within a second created
   before updated before deleted, a snapshot behind the events, then what is further on by
   the expressions in `progress`, then by id; of two snapshots the one fetched later. #}
{% macro stripe_order_by(direction='', first='', progress=[]) -%}
    {{ 'order by ' ~ first }}
    date_trunc('second', told_at) {{ direction }} nulls last,
    is_snapshot {{ direction }} nulls last,
    type_rank {{ direction }} nulls last,
    {%- for further in progress %}
    {{ further }} {{ direction }} nulls last,
    {%- endfor %}
    delivery_id {{ direction }} nulls last,
    told_at {{ direction }} nulls last,
    body_key {{ direction }} nulls last
{%- endmacro %}

{# Of tellings of a subscription within a second: its place where they are a chain, else what
   is over comes last. #}
{% macro stripe_subscription_progress() %}
    {{ return([
        'chain_place', "coalesce(stripe_status in ('canceled', 'incomplete_expired'), false)",
    ]) }}
{% endmacro %}

{# The fold of subscriptions, told with_places(). #}
{% macro stripe_subscription_states(told) %}
    {{- stripe_states(
        told,
        'subscription_key',
        stripe_subscription_progress(),
        'is_deleted desc nulls last,',
        [
            'max(told_at) over (partition by subscription_key) as last_told_at',
            'bool_or(type_rank = 0 and not is_snapshot) over ('
            'partition by subscription_key) as is_start_told',
        ],
    ) -}}
{% endmacro %}

{# Tellings with their place in the order of time, where updates of one second are a chain. #}
{% macro with_places(told) -%}
    (
        select told.*, place.chain_place
        from {{ told }} as told
        left join {{ ref('int_stripe__telling_place') }} as place
            on
                told.batch_seq = place.batch_seq
                and told.row_number = place.row_number
    )
{%- endmacro %}

{# The key of the state that a telling tells, and of the one that it says was before. #}
{% macro stripe_state_after() -%}
    {%- set values = [] -%}
    {%- for column in stripe_state_fields() -%}
        {%- do values.append('coalesce(' ~ column ~ ", '')") -%}
    {%- endfor -%}
    {{ key_of(uuid5_digest("concat_ws('|', " ~ values | join(', ') ~ ')')) }}
{%- endmacro %}

{% macro stripe_state_before() -%}
    {%- set values = [] -%}
    {%- for column, path in stripe_state_fields().items() -%}
        {%- set was = 'was_' ~ column -%}
        {%- set value -%}
            coalesce(
                case
                    when {{ was }} = 'null' then null
                    {%- if '.' in path %}
                    when {{ was }} is null and whole_of_{{ column }} = 'null' then null
                    {%- endif %}
                    when {{ was }} is null then {{ column }}
                    when substring({{ was }}, 1, 1) = '"' then replace({{ was }}, '"', '')
                    else {{ was }}
                end,
                ''
            )
        {%- endset -%}
        {%- do values.append(value) -%}
    {%- endfor -%}
    case
        when previous is not null
            then {{ key_of(uuid5_digest("concat_ws('|', " ~ values | join(', ') ~ ')')) }}
    end
{%- endmacro %}

{# All that was ever told of the objects of which new deliveries tell. #}
{% macro told_again(deliveries, key) %}
    {{- looked_at(deliveries, is_told_again(deliveries, key)) -}}
{% endmacro %}

{# Pre-hook of a table about such objects: takes out those that are made again. #}
{% macro forget_told_again(deliveries, key) %}
    {{- forget(is_told_again(deliveries, key)) -}}
{% endmacro %}

{% macro is_told_again(deliveries, key) -%}
    {{ key }} in (select {{ key }} from {{ new_of(deliveries) }})
{%- endmacro %}

{# The rows of such a table that are new to this build. #}
{% macro new_of(relation) -%}
    {%- if is_increment() -%}
    (select * from {{ relation }} where batch_seq in ({{ new_batches('stripe') }}))
    {%- else -%}
    {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# Pre-hook of a table that grows by deliveries of Stripe: takes out what a build by hand
   that failed half way has left of the new batches. #}
{% macro forget_new_stripe() %}
    {{- forget('batch_seq in (' ~ new_batches('stripe') ~ ')') -}}
{% endmacro %}

{# Pre-hook of a table about subscriptions: takes out those that are made again. #}
{% macro forget_touched_subscriptions() %}
    {%- set touched = ref('int_stripe__touched_subscription') -%}
    {{- forget('subscription_key in (select subscription_key from ' ~ touched ~ ')') -}}
{% endmacro %}
