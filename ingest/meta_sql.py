"""What SQL reads of an event of Meta: the plain ones of ``ingest/meta.py``, which alone is complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ingest.messagesql import MessageSql, Path, Reader, object_sql
from ingest.metafields import PLAIN
from ingest.times import seconds_sql
from warehouse.sql import quote_literal

CHANNELS = ("pixel", "server")
ACTION_SOURCES = (
    *("website", "app", "email", "phone_call", "chat", "physical_store", "system_generated", "business_messaging"),
    "other",
)
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
#: The client's address and agent have columns of their own.
COLUMNS = {"client_ip_address": "ip_address", "client_user_agent": "user_agent"}
#: A browser's id as the pixel writes it: fb.<subdomains>.<milliseconds>.<random>; anything else may be many browsers'.
FBP = r"fb\.[0-9]\.[0-9]{10,16}\.[0-9]{1,20}"
SECRETS = frozenset({"access_token"})
#: What a payload says beside its events, in texts.
SHARED = ("partner_agent", "test_event_code")
USER, CUSTOM = "user_data", "custom_data"
_HASH = r'\[?"[0-9a-f]{64}"\]?'


def meta_sql(reader: Reader, others: Mapping[Path, Sequence[str]], received_at: datetime | None) -> MessageSql:
    """The fields of an event (``SqlReading.columns``): those whose customer information has been hashed before."""
    text, json = reader.text, reader.json
    name, source_id, seconds = text("event_name"), text("event_id"), text("event_time")
    channel = "coalesce(channel, 'server')"
    user = {key: json(USER, key) for key in ("em", "external_id", "fbp")}
    address, action_source = text("event_source_url"), text("action_source")
    otherwise = "" if received_at is None else f", timestamptz {quote_literal(received_at.isoformat())}"
    hashed = [*(user[key] for key in ("em", "external_id")), *_hashed(reader, others)]
    columns = {
        "event_type": name,
        "event_id": f"{channel} || ':' || {name} || ':' || {source_id} || ':' || {seconds}",
        "source_id": source_id,
        "occurred_at": seconds_sql(seconds),
        "received_at": f"coalesce(received_at{otherwise})",
        "email_sha256": _digits(user["em"]),
        "custom:external_id": _digits(user["external_id"]),
        "custom:fbp": f"case when regexp_full_match({text(USER, 'fbp')}, '{FBP}') then {text(USER, 'fbp')} end",
        **{column: text(USER, key) for key, column in COLUMNS.items()},
        **{key: _parameter(address, key) for key in UTM},
        "properties": f"coalesce({_properties(reader, others)}, '{{}}')",
        "metadata": _metadata(reader, others, channel),
    }
    conditions = [
        f"{name} is not null",
        f"({source_id} is null or any_id({source_id}))",
        f"{channel} in {_listed(CHANNELS)}",
        f"({action_source} in {_listed(ACTION_SOURCES)} or ({action_source} is null and {channel} = 'pixel'))",
        f"({address} is null or not regexp_matches({address}, '[%+#]|\\?.*\\?|^[^?]*&'))",
        *(f"({value} is null or {value} = 'null' or regexp_full_match({value}, '{_HASH}'))" for value in hashed),
        *(f"{json(CUSTOM, key)} is null" for key in ("action_source", "event_source_url", "fbclid")),
        f"({json(USER)} is not null and {json(USER)} <> 'null' or {channel} = 'pixel')",
    ]
    return MessageSql(columns, conditions)


def _properties(reader: Reader, others: Mapping[Path, Sequence[str]]) -> str:
    address = reader.text("event_source_url")
    told = {key: reader.json(CUSTOM, key) for key in others[CUSTOM,] if key not in SECRETS}
    reader.json(CUSTOM)
    told |= {key: _unless_null(reader.json(key)) for key in ("action_source", "event_source_url")}
    told["fbclid"] = f"to_json({_parameter(address, 'fbclid')})::varchar"
    return object_sql(told)


def _metadata(reader: Reader, others: Mapping[Path, Sequence[str]], channel: str) -> str:
    kept = {key: _as_list(reader.json(USER, key)) for key in ("em", "external_id")}
    kept["fbp"] = reader.json(USER, "fbp")
    for key in others[USER,]:
        if key not in SECRETS:
            kept[key] = reader.json(USER, key) if key in PLAIN else _as_list(reader.json(USER, key))
    user = object_sql({key: _unless_null(value) for key, value in kept.items()})
    rest = {key: f"nullif({_unless_null(reader.json(key))}, '{{}}')" for key in others[()]}
    for key in SHARED:
        rest[key] = f"coalesce({_unless_null(reader.json(key))}, to_json({reader.shared(key)})::varchar)"
    return object_sql({**rest, "channel": f"to_json({channel})::varchar", USER: user})


def _hashed(reader: Reader, others: Mapping[Path, Sequence[str]]) -> Iterator[str]:
    """The customer information that may land as a hash only."""
    for key in others[USER,]:
        if key not in PLAIN and key not in SECRETS:
            yield reader.json(USER, key)


def _as_list(value: str) -> str:
    return f"case when starts_with({value}, '\"') then '[' || {value} || ']' else {value} end"


def _digits(value: str) -> str:
    return f"nullif(regexp_extract({value}, '[0-9a-f]{{64}}'), '')"


def _parameter(address: str, key: str) -> str:
    """The first parameter of a name that is not empty; of an address without escapes."""
    value = f"nullif(regexp_extract({address}, '[?&]{key}=([^&]+)', 1), '')"
    return f"case when contains({address}, '{key}=') then {value} end"


def _unless_null(value: str) -> str:
    return f"nullif({value}, 'null')"


def _listed(words: Sequence[str]) -> str:
    return f"({', '.join(map(quote_literal, words))})"
