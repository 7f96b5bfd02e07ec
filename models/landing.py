"""The columns of a landed event: what every source's event is brought into before it becomes a table."""

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
