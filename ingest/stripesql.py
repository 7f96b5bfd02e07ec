"""SQL that lands deliveries of Stripe in bulk: those that are plainly in order; the others are for ``stripecheck``.

As with events, a text is taken if one of the same *shape* (its keys, in all depths) was judged good in Python, and
nothing in it could be read in two ways.
"""

from __future__ import annotations

from datetime import datetime

from ingest.delivery import opened_deliveries
from ingest.jsonsql import TextFacts, number_doubts
from ingest.parts import Landable
from ingest.stripecheck import EVENT_OBJECTS, LIST_OBJECTS, StripeRules
from ingest.times import seconds_sql, text_time_sql
from models import limits
from models.landing import STRIPE, STRIPE_COLUMNS
from warehouse.sql import quote_literal

_COMPUTED = ("batch_seq", "body_key", "landed_at")
#: What a delivery is when it has been checked; its key follows from the body.
STRIPE_CHECKED = {column.name: column.type for column in STRIPE_COLUMNS if column.name not in _COMPUTED}

_PATHS = {
    "object": "$.object",
    "id": "$.id",
    "type": "$.type",
    "created": "$.created",
    "api_version": "$.api_version",
    "account": "$.account",
    "livemode": "$.livemode",
    "object_type": "$.data.object.object",
    "object_id": "$.data.object.id",
}
_NAME = r"[!-~]{1,255}"


def stripe_landable(now: datetime) -> Landable:
    """Deliveries of Stripe on their way; objects without a time hold as of ``now``."""
    return Landable(STRIPE, STRIPE_CHECKED, named=lambda relation: _keyed(relation, now))


def _keyed(relation: str, now: datetime) -> str:
    as_of = f"timestamptz {quote_literal(now.isoformat())}"
    columns = ", ".join(
        f"case when kind = 'object' then coalesce(fetched_at, {as_of}) end as fetched_at"
        if name == "fetched_at"
        else name
        for name in STRIPE_CHECKED
    )
    return f"""
        select {columns}, (md5_number(body) & {(1 << 60) - 1}::uhugeint)::bigint as body_key
        from {relation}
    """


def bodies_select(relation: str, facts: TextFacts) -> str:
    """The query for the bodies in texts, out of their envelopes, with their shape.

    The shape is null where a text needs a closer look.
    """
    doubts = ["channel is not null", f"strlen(body) > {limits.MAX_EVENT_BYTES}", *number_doubts("body", facts)]
    if facts.has_escapes:
        doubts.append("contains(body, '\\u0000')")
    return f"""
        select
            row_number, body, received_text,
            case when not ({" or ".join(doubts)}) then hash(try(json_keys(body)), try(json_keys(body, '$..*'))) end
                as shape
        from ({opened_deliveries(relation)})
    """


def landed_select(relation: str, rules: StripeRules, now: datetime) -> str:
    """The query for the landed form of bodies that are JSON: of those that are plainly events or objects."""
    paths = "[" + ", ".join(map(quote_literal, _PATHS.values())) + "]"
    number = {name: position for position, name in enumerate(_PATHS, start=1)}
    text = {name: f"x[{position}]" for name, position in number.items()}
    type_ = {name: f"coalesce(y[{position}], 'NULL')" for name, position in number.items()}
    first, last = (
        f"timestamptz {quote_literal(time.isoformat())}" for time in (rules.times.earliest, rules.times.latest)
    )
    given = "null::timestamptz"
    if rules.received_at is not None:
        given = f"timestamptz {quote_literal(rules.received_at.isoformat())}"
    account, livemode = quote_literal(rules.account), {None: "null", True: "true", False: "false"}[rules.livemode]
    made = seconds_sql(text["created"])
    events, lists = (", ".join(map(quote_literal, found)) for found in (EVENT_OBJECTS, LIST_OBJECTS))
    texts = " and ".join(f"{type_[name]} in ('VARCHAR', 'NULL')" for name in ("api_version", "account"))
    names = {name: f"regexp_full_match({text[name]}, {quote_literal(_NAME)})" for name in ("object", "id", "type")}
    checked = f"""
        select
            row_number,
            case when is_event then {text["id"]} else {text["object"]} || ':' || {text["id"]} end as delivery_id,
            case when is_event then 'event' else 'object' end as kind,
            case when is_event then {text["type"]} end as event_type,
            case
                when not is_event then {text["object"]}
                when {type_["object_type"]} = 'VARCHAR' then {text["object_type"]}
            end as object_type,
            case
                when not is_event then {text["id"]}
                when {type_["object_id"]} = 'VARCHAR' then {text["object_id"]}
            end as object_id,
            case when is_event then {made} end as created_at,
            case when is_event then {text["api_version"]} end as api_version,
            coalesce(case when is_event then nullif({text["account"]}, '') end, {account}) as account,
            coalesce({text["livemode"]}::boolean, {livemode}) as livemode,
            case when is_event then coalesce(received_at, {given}) end as received_at,
            case when not is_event then coalesce(received_at, {given}) end as fetched_at,
            body
        from (
            select
                row_number, body, received_text,
                {text_time_sql("received_text")} as received_at,
                try(json_extract_string(body, {paths})) as x,
                try(json_type(body, {paths})) as y,
                {text["object"]} = 'event' as is_event
            from {relation}
        )
        where {type_["object"]} = 'VARCHAR' and {type_["id"]} = 'VARCHAR'
            and {names["object"]} and {names["id"]}
            and {text["object"]} not in ({lists}) and (is_event or {text["object"]} not in ({events}))
            and {type_["livemode"]} in ('BOOLEAN', 'NULL')
            and (received_text is null or received_at between {first} and {last})
            and (not is_event or (
                {type_["type"]} = 'VARCHAR' and {names["type"]}
                and {type_["created"]} in ('UBIGINT', 'BIGINT')
                and {made} between {first} and {last}
                and {texts}
            ))
    """
    return _keyed(f"({checked})", now)
