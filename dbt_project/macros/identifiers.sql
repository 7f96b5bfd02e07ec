{# Types of identifier whose column holds the value as it is; e-mails and custom
   identifiers are apart. #}
{% macro plain_identifiers() %}
    {{ return([
        'user_id', 'stripe_id', 'google_id', 'github_id', 'anonymous_id', 'device_id',
    ]) }}
{% endmacro %}

{# The place of each type by name; all custom ones share one. Numbers are packed more densely
   than names. #}
{% macro type_numbers() %}
    {{ return({
        'anonymous_id': 0, 'custom': 1, 'device_id': 2, 'email': 3, 'github_id': 4,
        'google_id': 5, 'stripe_id': 6, 'user_id': 7,
    }) }}
{% endmacro %}

{# The number of a type, an SQL expression. #}
{% macro type_number(id_type) -%}
    case {{ id_type }}
        {%- for type, number in type_numbers().items() if type != 'custom' %}
        when '{{ type }}' then {{ number }}
        {%- endfor %}
        else {{ type_numbers()['custom'] }}
    end
{%- endmacro %}

{# The numbers of some types, as a list in SQL. #}
{% macro numbers_of(types) -%}
    {%- for type in types -%}
        {{ type_numbers()[type] }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# A column of identifiers without those that identify nobody (is_blocked, generated from the
   identity rules). An address goes by its hash. #}
{% macro identifier(column) -%}
    {%- if column == 'custom_ids' -%}
    {{ json_members_unless(column, is_blocked, "'custom:'") }}
    {%- else -%}
    {%- set id_type = {'email': 'address', 'email_sha256': 'email'}.get(column, column) -%}
    case when not {{ is_blocked("'" ~ id_type ~ "'", column) }} then {{ column }} end
    {%- endif -%}
{%- endmacro %}

{# The columns of an event that hold identifiers. #}
{% macro identifier_columns() %}
    {{ return(plain_identifiers() + ['email', 'email_sha256', 'custom_ids']) }}
{% endmacro %}

{# What each event says of who it is of, values that identify nobody included. #}
{% macro select_identifiers(relation) -%}
    select
        {{ identifier_columns() | join(', ') }},
        {{ is_signed() }} as is_signed, {{ is_known_to_identity() }} as is_known,
        occurred_at, body_key
    from {{ relation }}
{%- endmacro %}

{# The key of an identifier of a type, a text expression as the value is. #}
{% macro identifier_key(id_type, id_value) -%}
    {{ key_of(uuid5_digest(id_type ~ " || ':' || " ~ id_value)) }}
{%- endmacro %}

{# The UUID of an identifier: its alias. It is not stored, because it follows from the two. #}
{% macro alias_of(relation) -%}
    {{ uuid5_of(uuid5_digest(relation ~ ".id_type || ':' || " ~ relation ~ ".id_value")) }}
{%- endmacro %}

{# One row per identifier of each set of them (int_identity__id_set). An e-mail goes by its
   SHA-256, so that both forms are one identifier. #}
{% macro unpivot_identifiers(id_set) %}
    {%- set carried -%}
        email, body_key, first_seen_at, is_signed, is_known
    {%- endset -%}
    {%- set without_address = carried | replace('email', 'cast(null as string) as email') -%}
    {% for type in plain_identifiers() %}
    select
        {{ type }}_key as identifier_key, '{{ type }}' as id_type, {{ type }} as id_value,
        {{ without_address }}
    from {{ id_set }}
    where {{ type }} is not null
    union all
    {% endfor %}
    select email_key, 'email', email_hash, {{ carried }}
    from {{ id_set }}
    where email is not null
    union all
    select email_sha256_key, 'email', email_sha256, {{ without_address }}
    from {{ id_set }}
    where email_sha256 is not null
    union all
    select
        {{ identifier_key("'custom:' || entry_name", 'entry_value') }},
        'custom:' || entry_name, entry_value, {{ without_address }}
    from {{ json_entries('(select * from ' ~ id_set ~ ' where custom_ids is not null)',
        'custom_ids') }} as custom
    where entry_value is not null
{% endmacro %}

{# One row per pair of identifiers in a set that joins its identifiers. Columns are paired
   with columns, which takes a third of the time of a join of the members with themselves;
   only sets with custom identifiers need that. #}
{% macro pair_identifiers(id_set) %}
    {%- set carried = 'is_signed, first_seen_at, body_key' -%}
    {%- set columns = plain_identifiers() + ['email', 'email_sha256'] -%}
    {%- set with_custom -%}
        (select * from {{ id_set }} where custom_ids is not null and is_known)
    {%- endset -%}
    {%- for one in columns %}
    {%- for other in columns[loop.index:] %}
    {%- set left_first = one ~ '_key < ' ~ other ~ '_key' -%}
    {%- set types = [type_numbers()[one | replace('_sha256', '')],
        type_numbers()[other | replace('_sha256', '')]] %}
    select
        least({{ one }}_key, {{ other }}_key) as left_key,
        greatest({{ one }}_key, {{ other }}_key) as right_key,
        case when {{ left_first }} then {{ types[0] }} else {{ types[1] }} end as left_type,
        case when {{ left_first }} then {{ types[1] }} else {{ types[0] }} end as right_type,
        {{ carried }}
    from {{ id_set }}
    where {{ one }}_key <> {{ other }}_key and custom_ids is null and is_known
    union all
    {%- endfor %}
    {%- endfor %}
    select
        member.identifier_key, other.identifier_key,
        {{ type_number('member.id_type') }}, {{ type_number('other.id_type') }},
        {% for column in carried.split(', ') -%}
        member.{{ column }}{{ ', ' if not loop.last }}
        {%- endfor %}
    from ({{ unpivot_identifiers(with_custom) }}) as member
    inner join ({{ unpivot_identifiers(with_custom) }}) as other
        on member.body_key = other.body_key
    where member.identifier_key < other.identifier_key
{% endmacro %}

{# Types of identifier in the order in which they speak for an event that carries several;
   custom ones come last. #}
{% macro speaking_order() %}
    {{ return([
        'user_id', 'email', 'stripe_id', 'google_id', 'github_id', 'anonymous_id',
        'device_id',
    ]) }}
{% endmacro %}

{# The type of the identifier that speaks for an event. #}
{% macro first_identifier_type() -%}
    {%- set custom = identifier('custom_ids') -%}
    case
        {% for type in speaking_order() %}
        when {{ speaking_value(type) }} is not null then '{{ type }}'
        {% endfor %}
        when {{ custom }} is not null then 'custom:' || {{ json_first_name(custom) }}
    end
{%- endmacro %}

{% macro first_identifier_value() -%}
    coalesce(
        {% for type in speaking_order() %}
        {{ speaking_value(type) }},
        {% endfor %}
        {{ json_first_value(identifier('custom_ids')) }}
    )
{%- endmacro %}

{% macro speaking_value(type) -%}
    {%- if type == 'email' -%}
    coalesce({{ sha256_hex(identifier('email')) }}, {{ identifier('email_sha256') }})
    {%- else -%}
    {{ identifier(type) }}
    {%- endif -%}
{%- endmacro %}

{# Whether a server says which identifiers an event carries; a browser may say anything. #}
{% macro is_signed() -%}
    case
        when source = 'segment'
            then coalesce({{ json_text('metadata', 'channel') }}, '') = 'server'
        else source <> 'meta_pixel'
    end
{%- endmacro %}

{# The rows of identifiers whose person is looked for again. #}
{% macro of_affected(relation, column='identifier_key') %}
    {{- looked_at(relation, is_affected(column)) -}}
{% endmacro %}

{# Takes out what is known of identifiers whose person is looked for again. #}
{% macro forget_affected(column='identifier_key') %}
    {{- forget(is_affected(column)) -}}
{% endmacro %}

{% macro is_affected(column) -%}
    {{ column }} in (select identifier_key from {{ ref('int_identity__affected') }})
{%- endmacro %}

{# What is seen of identifiers that lost a proof is read anew. #}
{% macro forget_lost(columns) %}
    {%- set lost = ref('int_identity__lost_identifier') -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append(column ~ ' in (select identifier_key from ' ~ lost ~ ')') -%}
    {%- endfor -%}
    {{- forget(parts | join(' or ')) -}}
{% endmacro %}

{# The edges that may join persons, among affected identifiers: those of events, unless an
   end is a knot, and the links set by hand. trust: 0 by hand, 1 a server, 2 a browser. #}
{% macro joining_edges() -%}
    {%- set knot = '(select identifier_key from ' ~ ref('int_identity__knot') ~ ')' -%}
    {%- set link -%}
    (select left_key, right_key from {{ hand_rules() }} as rule where kind = 'link')
    {%- endset -%}
    (
        select
            edge.left_key,
            edge.right_key,
            case when edge.is_signed then 1 else 2 end as trust,
            edge.first_seen_at,
            edge.body_key
        from {{ of_affected(of_affected(ref('int_identity__edge'), 'left_key'), 'right_key') }}
            as edge
        anti join {{ link }} as link
            on edge.left_key = link.left_key and edge.right_key = link.right_key
        where edge.left_key not in {{ knot }} and edge.right_key not in {{ knot }}
        union all
        select
            link.left_key,
            link.right_key,
            0,
            greatest(one.first_seen_at, other.first_seen_at),
            cast(null as bigint)
        from {{ of_affected(of_affected(link, 'left_key'), 'right_key') }} as link
        inner join {{ ref('int_identity__identifier') }} as one
            on link.left_key = one.identifier_key
        inner join {{ ref('int_identity__identifier') }} as other
            on link.right_key = other.identifier_key
        where link.left_key not in {{ knot }} and link.right_key not in {{ knot }}
    )
{%- endmacro %}

{# The rank of an edge among those of equal trust: its less telling end first. #}
{% macro edge_priority(left_type, right_type) -%}
    greatest({{ type_rank(left_type) }}, {{ type_rank(right_type) }}) * 100
    + least({{ type_rank(left_type) }}, {{ type_rank(right_type) }})
{%- endmacro %}

{# Event types after which a device is nobody's until the next login. #}
{% macro logouts() %}
    {{ return(['logout', 'logged_out', 'user_logged_out', 'signed_out', 'sign_out', 'reset']) }}
{% endmacro %}

{# Devices whose sights are known from the published generation. #}
{% macro kept_devices() -%}
    (
        select identifier_key from {{ before('int_identity__knot', [
            'identifier_key bigint', 'kind string',
        ]) }}
        where kind = 'shared_device'
        except
        select identifier_key from {{ ref('int_identity__lost_identifier') }}
    )
{%- endmacro %}

{# The condition that an event lies in the interval of an owner. #}
{% macro owned_then(event, owner) -%}
    ({{ owner }}.valid_from is null or {{ event }}.occurred_at >= {{ owner }}.valid_from)
    and ({{ owner }}.valid_to is null or {{ event }}.occurred_at < {{ owner }}.valid_to)
{%- endmacro %}
