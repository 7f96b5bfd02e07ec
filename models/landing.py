"""The columns of the landing: events, brought into one form, and deliveries of Stripe, kept as they came."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a landing file; ``type`` is DuckDB's name of its type."""

    name: str
    type: str


#: The columns of landing/event/*.parquet, in their order.
EVENT_COLUMNS: tuple[Column, ...] = (
    Column("batch_seq", "BIGINT"),
    Column("row_number", "BIGINT"),  # 1-based record (in JSONL: line) of its input; null where the reader knows none
    Column("source", "VARCHAR"),
    Column("event_id", "VARCHAR"),
    Column("source_id", "VARCHAR"),
    Column("event_type", "VARCHAR"),
    Column("category", "VARCHAR"),
    Column("occurred_at", "TIMESTAMPTZ"),
    Column("sent_at", "TIMESTAMPTZ"),
    Column("received_at", "TIMESTAMPTZ"),  # null where the source gave none
    Column("user_id", "VARCHAR"),
    Column("anonymous_id", "VARCHAR"),
    Column("device_id", "VARCHAR"),
    Column("email", "VARCHAR"),
    Column("email_sha256", "VARCHAR"),
    Column("stripe_id", "VARCHAR"),
    Column("google_id", "VARCHAR"),
    Column("github_id", "VARCHAR"),
    Column("custom_ids", "VARCHAR"),  # JSON object, keys sorted
    Column("session_id", "VARCHAR"),
    Column("account_id", "VARCHAR"),
    Column("ip_address", "VARCHAR"),
    Column("user_agent", "VARCHAR"),
    Column("utm_source", "VARCHAR"),
    Column("utm_medium", "VARCHAR"),
    Column("utm_campaign", "VARCHAR"),
    Column("utm_content", "VARCHAR"),
    Column("utm_term", "VARCHAR"),
    Column("properties", "VARCHAR"),  # JSON object, '{}' where there are none
    Column("traits", "VARCHAR"),  # JSON object
    Column("metadata", "VARCHAR"),  # JSON object
    Column("given", "VARCHAR"),  # JSON object: the original spelling of each value that landing changed
    Column("body_key", "BIGINT"),  # a hash of the content: equal bodies, and only they, have equal keys
    Column("landed_at", "TIMESTAMPTZ"),
)

#: Columns that say how a row came here and not what it says; two deliveries of one event may differ in them.
DELIVERY_COLUMNS = frozenset({"batch_seq", "row_number", "received_at", "landed_at", "body_key"})

#: What a body is: the columns that ``body_key`` is computed from, in their order.
BODY_COLUMNS: tuple[Column, ...] = tuple(column for column in EVENT_COLUMNS if column.name not in DELIVERY_COLUMNS)

#: The columns of landing/stripe/*.parquet, in their order: one row per webhook event or object of the API.
STRIPE_COLUMNS: tuple[Column, ...] = (
    Column("batch_seq", "BIGINT"),
    Column("row_number", "BIGINT"),  # of its input, as above; entries of one list share the list's
    Column("delivery_id", "VARCHAR"),  # the event's id; of a bare object its type and id, such as customer:cus_1
    Column("kind", "VARCHAR"),  # event, or object: what the API answered
    Column("event_type", "VARCHAR"),  # null for an object
    Column("object_type", "VARCHAR"),  # null where an event carries no object
    Column("object_id", "VARCHAR"),
    Column("created_at", "TIMESTAMPTZ"),  # when the event was created; null for an object
    Column("api_version", "VARCHAR"),  # of an event; objects do not say it
    Column("account", "VARCHAR"),  # the connected account; '' for one's own
    Column("livemode", "BOOLEAN"),  # null where neither event nor object says it
    Column("received_at", "TIMESTAMPTZ"),  # null where the input does not say it
    Column("fetched_at", "TIMESTAMPTZ"),  # the time for which an object holds; null for an event
    Column("body", "VARCHAR"),  # verbatim
    Column("body_key", "BIGINT"),  # a hash of the body
    Column("landed_at", "TIMESTAMPTZ"),
)


@dataclass(frozen=True)
class Entity:
    """A kind of landed rows: its folder, its columns, and expressions for times.

    ``time`` is what the manifest notes, ``known_at`` since when it is known: where the source does not say when a row
    was received, its own time stands for it.
    """

    name: str
    columns: tuple[Column, ...]
    time: str
    known_at: str


EVENT = Entity("event", EVENT_COLUMNS, "occurred_at", "coalesce(received_at, occurred_at)")
STRIPE = Entity(
    "stripe", STRIPE_COLUMNS, "coalesce(created_at, fetched_at)", "coalesce(received_at, fetched_at, created_at)"
)

#: All that lands, each in a folder of its own; batches are numbered over all of them.
ENTITIES: tuple[Entity, ...] = (EVENT, STRIPE)
