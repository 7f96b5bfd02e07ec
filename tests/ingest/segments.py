"""Builders of what Segment's clients send, and landing it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.ingest.landings import UTC, counts, events_landed, jsonl, land
from warehouse.home import Home

TIME = datetime(2026, 1, 30, 12, tzinfo=UTC)
KEY = "s3cr3t-wr1te-key"


def message(**changes: Any) -> dict[str, Any]:
    """A smallest track call, with changes; a change to None leaves the key out."""
    fields = {"type": "track", "event": "x", "userId": "ada", "messageId": "m1", "timestamp": "2026-01-30T12:00:00Z"}
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def call(type_: str, **changes: Any) -> dict[str, Any]:
    """A smallest call of another type."""
    return message(type=type_, event=None, **changes)


def nameless(**changes: Any) -> dict[str, Any]:
    """A call that does not say which it is."""
    return message(type=None, event=None, **changes)


def envelope(body: Any, received_at: datetime = TIME, **more: Any) -> dict[str, Any]:
    """A body in its envelope."""
    return {"received_at": received_at.isoformat(), **more, "body": body}


def land_segment(
    home: Home, *deliveries: Any, name: str = "segment.jsonl", **options: Any
) -> tuple[int, int, int, int]:
    """Land deliveries, one a line."""
    return counts(land(home, jsonl(*deliveries), name, writer="segment", **options))


def events_of(home: Home, deliveries: Sequence[Any], **options: Any) -> list[dict[str, Any]]:
    """For each delivery the columns of the one event that it becomes, without what is null.

    All land together, each with a messageId of its own.
    """
    numbered = [json.dumps(delivery).replace('"m1"', f'"m1-{number}"') for number, delivery in enumerate(deliveries)]
    every = len(deliveries)
    assert land_segment(home, *numbered, **options) == (every, every, 0, 0)
    return [found | {"event_id": found["event_id"].partition("-")[0]} for found in events_landed(home)]
