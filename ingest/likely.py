"""Whose file it likely is, where not one of its rows could land as somebody else's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ingest.options import Writer
from ingest.segment_sql import EVENT_TYPES
from ingest.stripecheck import EVENT_OBJECTS, LIST_OBJECTS

#: What is looked at of a row; only a longer one is cut, and so tells nothing.
_MOST_BYTES = 1 << 20


def likely_writer(raw: bytes) -> Writer | None:
    """Who wrote a row, by the keys that nobody else writes; None if it does not show.

    Args:
        raw: the row as it came: JSON, in an envelope or not.
    """
    try:
        value = json.loads(raw[:_MOST_BYTES])
        if isinstance(value, dict) and {"received_at", "body"} <= value.keys():
            value = json.loads(value["body"]) if isinstance(value["body"], str) else value["body"]
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return next((writer for writer, is_likely in _SIGNS.items() if is_likely(value)), None)


def _is_stripe(body: Mapping[str, Any]) -> bool:
    kind = body.get("object")
    return kind in (*EVENT_OBJECTS, *LIST_OBJECTS) or (isinstance(kind, str) and "id" in body and "livemode" in body)


def _is_meta(body: Mapping[str, Any]) -> bool:
    return "event_name" in _first(body, "data") and "event_time" in _first(body, "data")


def _is_segment(body: Mapping[str, Any]) -> bool:
    message = _first(body, "batch")
    return message.get("type") in tuple(EVENT_TYPES) and not message.keys().isdisjoint(
        ("messageId", "anonymousId", "userId", "context", "originalTimestamp")
    )


def _is_event(body: Mapping[str, Any]) -> bool:
    return not body.keys().isdisjoint(("eventType", "event_type"))


def _first(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The first of the messages under a key, or what has no such key itself."""
    batch = body.get(key)
    message = batch[0] if isinstance(batch, list) and batch else body
    return message if isinstance(message, dict) else {}


_SIGNS: Mapping[Writer, Callable[[Mapping[str, Any]], bool]] = {
    "stripe": _is_stripe,
    "meta": _is_meta,
    "segment": _is_segment,
    "events": _is_event,
}
