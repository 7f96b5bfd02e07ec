"""The statements of ``pipeline.unbuilt``: what new rows carry, what hangs together, which rows decide."""

from __future__ import annotations

#: Makes the set of identifiers of each new row one of its own, so that each can be told apart.
ROW_MARK = "row of the landing"
#: Ids of Stripe's objects that belong to one customer.
STRIPE_KEYS = r'"((?:cus|sub|in|ch|py|pi|re|pyr|dp|du|cs|si|ii|il|seti|setatt)_[A-Za-z0-9_]+)"'

#: The raw component of each published identifier.
KNOWN = """(
    select identifier_key, component_key from published.intermediate.int_identity__owner where valid_from is null
)"""

#: Users and Stripe customers among the numbers of types that edges have (macro type_numbers).
USERS = "(7, 6)"

#: Published events that are told of again: by their key, or as copies of one Meta event.
STORED = """create or replace table stored as
select body_key, batch_seq, identifier_key, source, event_id
from published.main.event
where (source, event_id) in (select (source, event_id) from new_event union select (source, event_id) from derived)
union
select body_key, batch_seq, null, source, event_id
from published.main.meta_copy
where (source, event_id) in (select (source, event_id) from new_event)
    or (event_type, source_id) in (select (event_type, source_id) from new_event where source = 'meta_pixel')"""

CARRIED = f"""create or replace table carried as
select body_key as number, identifier_key
from scratch.delta.int_identity__member
where id_type <> 'custom:{ROW_MARK}'"""

#: Every identifier that landed, where finding one looks for it.
IDENTIFIERS = """create or replace view intermediate.int_identity__identifier as
select identifier_key, id_type, id_value, email from published.intermediate.int_identity__identifier
union all
select identifier_key, id_type, id_value, email from fresh_identifier
where identifier_key not in (select identifier_key from published.intermediate.int_identity__identifier)"""

#: What hangs together: identifiers stand for their published component, rows and keys have negative numbers.
EDGES = f"""with node as (
    select identifier_key, component_key from {KNOWN}
    where identifier_key in (
        select identifier_key from carried union select identifier_key from stored
        union select one from hand_link union select other from hand_link
    )
),
knot as (select identifier_key from published.intermediate.int_identity__knot),
again as (
    select number from fresh
    where (source, event_id) in (select (source, event_id) from stored)
        or (event_type, source_id) in (select (event_type, source_id) from fresh where kind = 'stored')
),
joining as (
    select -number as one, carried.identifier_key as identifier_key
    from carried
    where identifier_key not in (select identifier_key from knot) or number in (select number from again)
    union all
    select -number, stored.identifier_key
    from fresh
    inner join stored using (source, event_id)
    where stored.identifier_key is not null
    union all
    select one, other from hand_link
),
shared as (
    select number, 'event ' || source || ' ' || event_id as key from fresh
    union all
    select number, 'copy ' || event_type || ' ' || source_id from fresh
    where source = 'meta_pixel' and source_id is not null
    union all
    select fresh.number, 'stripe ' || stripe_row.label
    from fresh
    inner join stripe_row
        on fresh.kind = 'derived'
        and fresh.batch_seq = stripe_row.batch_seq
        and fresh.row_number = stripe_row.row_number
),
ranked as (
    select number, dense_rank() over (order by key) as key_number from shared
)
select coalesce(near.component_key, joining.one) as one, coalesce(node.component_key, joining.identifier_key) as other
from joining
left join node on joining.identifier_key = node.identifier_key
left join node as near on joining.one = near.identifier_key
union all
select -number, -1000000000000 - key_number from ranked"""

#: All identifiers that hang together with the wanted one, and the knots next to them.
COMPONENT = f"""create or replace table component as
with own as (
    select coalesce(any_value(component_key), any_value(wanted.identifier_key)) as node
    from wanted
    left join {KNOWN} as component
        on wanted.identifier_key = component.identifier_key
),
label as (
    select label from fresh_label where node = (select node from own)
),
node as (
    select node from own
    union
    select node from fresh_label where label in (select label from label)
),
member as (
    select identifier_key from {KNOWN}
    where component_key in (select node from node)
    union
    select identifier_key from carried
    where identifier_key in (select node from node)
),
knot as (
    select identifier_key from published.intermediate.int_identity__knot
),
near as (
    select right_key as identifier_key from published.intermediate.int_identity__edge
    where left_key in (select identifier_key from member)
        and right_key in (select identifier_key from knot)
    union
    select left_key from published.intermediate.int_identity__edge
    where right_key in (select identifier_key from member)
        and left_key in (select identifier_key from knot)
    union
    select other.identifier_key
    from carried as one
    inner join carried as other using (number)
    where one.identifier_key in (select identifier_key from member)
        and other.identifier_key in (select identifier_key from knot)
)
select identifier_key, false as is_near from member
union all
select identifier_key, true from near
where identifier_key not in (select identifier_key from member)"""

#: The new rows that carry one of them, or hang together with such a row.
PICKED_NUMBERS = f"""create or replace table picked_number as
select number from carried where identifier_key in (select identifier_key from component)
union
select -near.node
from fresh_label as near
where near.node between -1000000000000 and -1
    and near.label in (
        select label from fresh_label
        where node in (
            select component_key from {KNOWN}
            where identifier_key in (select identifier_key from component where not is_near)
            union all
            select identifier_key from component where not is_near
        )
    )"""

#: The stored rows (by body) that prove what is known of them; of a hub enough to show that it is one.
PICKED = f"""create or replace table picked as
with hub as (
    select identifier_key from published.intermediate.int_identity__knot where kind = 'hub'
),
plain as (
    select identifier_key from component
    where identifier_key not in (select identifier_key from hub)
),
proof as (
    select body_key from published.intermediate.int_identity__edge
    where left_key in (select identifier_key from plain) or right_key in (select identifier_key from plain)
    union
    select body_key from published.intermediate.int_identity__edge
    where (left_key in (select identifier_key from component) and right_type in {USERS})
        or (right_key in (select identifier_key from component) and left_type in {USERS})
    union
    select unnest([body_key, email_body_key]) from published.intermediate.int_identity__identifier
    where identifier_key in (select identifier_key from component)
    union
    select body_key from published.intermediate.int_identity__sight
    where identifier_key in (select identifier_key from component)
),
known as (
    select body_key, batch_seq, event_type, source, source_id from published.main.event
    where identifier_key in (select identifier_key from plain) or body_key in (select body_key from proof)
    union
    select body_key, batch_seq, event_type, source, source_id from published.main.meta_copy
    where body_key in (select body_key from proof)
),
again as (
    select stored.body_key, stored.batch_seq
    from stored
    inner join fresh using (source, event_id)
    inner join picked_number using (number)
),
copy as (
    select body_key, batch_seq from published.main.meta_copy
    where (event_type, source_id) in (
        select (event_type, source_id) from known where source = 'meta_pixel'
        union
        select (event_type, source_id) from fresh inner join picked_number using (number) where source = 'meta_pixel'
    )
)
select body_key, batch_seq from known
union
select body_key, batch_seq from again
union
select body_key, batch_seq from copy"""

CUSTOMERS = """select id_value from published.intermediate.int_identity__identifier
    where id_type = 'stripe_id' and identifier_key in (select identifier_key from component)
    union
    select id_value from fresh_identifier
    where id_type = 'stripe_id' and identifier_key in (select identifier_key from component)"""

HAS_STRIPE = f"""select exists (select 1 from ({CUSTOMERS}) as customer)
    or exists (select 1 from fresh inner join picked_number using (number) where kind = 'derived')
    or exists (
        select 1 from published.main.event
        where source = 'stripe' and body_key in (select body_key from picked)
    )"""

STRIPE_LABELS = f"""select label from stripe_key where key in ({CUSTOMERS})
    union
    select stripe_row.label
    from stripe_row
    inner join fresh
        on fresh.kind = 'derived'
        and stripe_row.batch_seq = fresh.batch_seq
        and stripe_row.row_number = fresh.row_number
    inner join picked_number using (number)
    union
    select stripe_row.label
    from stripe_row
    inner join published.intermediate.int_stripe__event_delivery as told using (batch_seq, row_number)
    where told.body_key in (select body_key from picked)"""

STRIPE_INDEX = """create or replace table stripe_edge as
with told as (
    select
        batch_seq,
        file_row_number as row_number,
        unnest(list_distinct(list_append(regexp_extract_all(body, $keys, 1), coalesce(object_id, '')))) as key
    from ({everything}) as told
)
select
    dense_rank() over (order by batch_seq, row_number) as number,
    -dense_rank() over (order by key) as key_number,
    batch_seq,
    row_number,
    key
from told"""
