"""What is sent to Meta's Conversions API, by the pixel of a page or by a server.

docs/sources.md says how each field is read. Nothing that Meta wants hashed lands otherwise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ingest.messagesql import SqlReading
from ingest.meta_sql import ACTION_SOURCES, CHANNELS, COLUMNS, CUSTOM, FBP, SECRETS, SHARED, USER, UTM, meta_sql
from ingest.metafields import PLAIN, hashed, is_sha256
from ingest.reasons import Reason, Refused
from ingest.service import Receipt
from ingest.strictjson import RawNumber, shown
from ingest.times import instant
from models import limits
from models.keys import email_sha256, normalise_id

#: Unix seconds have at most so many digits; more are milliseconds.
_MAX_SECONDS = 10**11


class Meta:
    """Payloads of the Conversions API: ``{"data": [event, …], …}``, or one event."""

    batch_key = "data"
    merged_keys: frozenset[str] = frozenset()
    secret_keys = SECRETS
    in_sql = SqlReading(SHARED, kind=("event_name",), opened=((), (USER,), (CUSTOM,)), columns=meta_sql)

    def to_event(self, message: dict[str, Any], receipt: Receipt) -> dict[str, Any]:
        """See ``Service``."""
        rest = {key: value for key, value in message.items() if value is not None}
        channel = _channel(receipt)
        if "data" in rest and "event_name" not in rest:
            raise Refused(Reason.TYPE_MISMATCH, "data is no array of events")
        name = _text("event_name", _needed("event_name", rest))
        seconds = _seconds(_needed("event_time", rest))
        action_source = _action_source(rest, channel)
        user = _user_data(rest, channel)
        source_id = _source_id(rest)
        address = rest.pop("event_source_url", None)
        query = _query(address)
        people, user_data = _people(user)
        event: dict[str, Any] = {
            "event_type": name,
            "event_id": source_id and _event_id(channel, name, source_id, seconds),
            "source_id": source_id,
            "occurred_at": instant("event_time", seconds),
            "received_at": receipt.enveloped_at or receipt.otherwise_at,
            **people,
            **{column: user.get(key) for key, column in COLUMNS.items()},
            **{key: query.get(key) for key in UTM},
            "properties": _properties(
                rest, action_source=action_source, event_source_url=address, fbclid=query.get("fbclid")
            ),
        }
        rest |= {"channel": channel, "user_data": user_data}
        event["metadata"] = {key: value for key, value in sorted(rest.items()) if value != {}}
        return event


def _channel(receipt: Receipt) -> str:
    """Who sent a copy: what comes in no envelope, or in one that does not say, is a server's."""
    channel = receipt.channel or "server"
    if channel not in CHANNELS:
        raise Refused(Reason.UNKNOWN_VALUE, f"channel {shown(channel)} is not one of {', '.join(CHANNELS)}")
    return channel


def _needed(key: str, rest: dict[str, Any]) -> Any:
    if key not in rest:
        raise Refused(Reason.MISSING_FIELD, f"{key} is missing")
    return rest.pop(key)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(Reason.TYPE_MISMATCH, f"{key} is no text")
    text = value.strip()
    if not text:
        raise Refused(Reason.EMPTY_ID, f"{key} is empty")
    return text


def _seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(Reason.TYPE_MISMATCH, "event_time is no whole number of Unix seconds")
    if not 0 <= value < _MAX_SECONDS:
        raise Refused(Reason.BAD_TIME, f"event_time {value} is no number of Unix seconds (of milliseconds?)")
    return value


def _action_source(rest: dict[str, Any], channel: str) -> str | None:
    """Where it happened; Meta wants to know it of what servers send."""
    if channel == "pixel" and "action_source" not in rest:
        return None
    action_source = _text("action_source", _needed("action_source", rest))
    if action_source not in ACTION_SOURCES:
        allowed = ", ".join(ACTION_SOURCES)
        raise Refused(Reason.UNKNOWN_VALUE, f"action_source {shown(action_source)} is not one of {allowed}")
    return action_source


def _user_data(rest: dict[str, Any], channel: str) -> Mapping[str, Any]:
    user = rest.pop("user_data", {}) if channel == "pixel" else _needed("user_data", rest)
    if not isinstance(user, dict):
        raise Refused(Reason.TYPE_MISMATCH, "user_data is no JSON object")
    return {key: value for key, value in _public(user).items() if value is not None}


def _public(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in Meta.secret_keys}


def _source_id(rest: dict[str, Any]) -> str | None:
    """The id that the copies of an event share."""
    value = rest.pop("event_id", None)
    if value is None:
        return None
    source_id = _text("event_id", value)
    if len(source_id.encode()) > limits.MAX_ID_BYTES:
        raise Refused(Reason.ID_TOO_LONG, f"event_id is longer than {limits.MAX_ID_BYTES} bytes")
    return source_id


def _event_id(channel: str, name: str, source_id: str, seconds: int) -> str:
    """What a copy is called here; one that would be too long is known by its hash."""
    event_id = f"{channel}:{name}:{source_id}:{seconds}"
    if len(event_id.encode()) <= limits.MAX_ID_BYTES:
        return event_id
    return f"{channel}:{hashlib.sha256(event_id.encode()).hexdigest()}"


def _people(user: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Who it was, and the customer information that is kept: hashes, and what Meta wants as it is."""
    kept: dict[str, Any] = {}
    unreadable: list[str] = []
    for key, value in user.items():
        if key in PLAIN:
            if key not in COLUMNS:
                kept[key] = value
            continue
        hashes = [hashed(key, text) for text in _texts(key, value)]
        kept[key] = [*dict.fromkeys(one for one in hashes if one)]
        if None in hashes:
            unreadable.append(key)
    if unreadable:
        kept["unreadable"] = sorted(unreadable)
    own_ids = [normalise_id(text) for text in _texts("external_id", user.get("external_id")) if text.strip()]
    user_id = next(filter(_is_user_id, own_ids), None)
    identifiers = {
        "email_sha256": next(filter(is_sha256, kept.get("em", ())), None),
        "external_id": next(map(_own_id_key, own_ids), None),
        "fbp": _browser(user.get("fbp")),
    }
    known = {key: value for key, value in identifiers.items() if value}
    return {"user_id": user_id, "identifiers": known}, dict(sorted(kept.items()))


def _texts(key: str, value: Any) -> Iterator[str]:
    """The values of a field, of which Meta takes one or several."""
    for item in value if isinstance(value, list) else [value]:
        match item:
            case None:
                continue
            case str():
                yield item
            case int() if not isinstance(item, bool):
                yield str(item)
            case RawNumber():
                yield item.text
            case _:
                raise Refused(Reason.TYPE_MISMATCH, f"user_data.{shown(key)} is no text and no array of texts")


def _is_user_id(external_id: str) -> bool:
    """Whether an advertiser's id of a person may land as it is: no hash, and no e-mail address."""
    return not is_sha256(external_id) and "@" not in external_id


def _own_id_key(external_id: str) -> str:
    """The hash by which copies with a hashed id and without meet; it keeps ids apart that differ in case only."""
    if _is_user_id(external_id):
        return hashlib.sha256(external_id.encode()).hexdigest()
    return external_id.lower() if is_sha256(external_id) else email_sha256(external_id)


def _browser(fbp: Any) -> str | None:
    return fbp if isinstance(fbp, str) and re.fullmatch(FBP, fbp) else None


def _query(address: Any) -> dict[str, str]:
    """The parameters of an address; of several of one name the first."""
    if not isinstance(address, str):
        return {}
    query = address.partition("#")[0].partition("?")[2]
    return dict(reversed(parse_qsl(query)))


def _properties(rest: dict[str, Any], **where: Any) -> dict[str, Any]:
    """What the event says, and where it happened."""
    custom = rest.pop("custom_data", {})
    if not isinstance(custom, dict):
        raise Refused(Reason.TYPE_MISMATCH, "custom_data is no JSON object")
    told = {key: value for key, value in where.items() if value is not None}
    for key in told.keys() & custom.keys():
        if custom[key] != told[key]:
            raise Refused(Reason.DUPLICATE_KEY, f"{key} stands in the event and, with another value, in custom_data")
    return dict(sorted({**_public(custom), **told}.items()))
