"""Builders for the tests of Stripe's ingest: an event, an object, and what has landed of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ingest.duckfiles import parquet_files
from ingest.summary import IngestSummary
from models.landing import STRIPE
from tests.engines import asked
from tests.ingest.landings import NOW, UTC, jsonl, land
from warehouse.control import landed_files
from warehouse.home import Home

CREATED = 1_767_225_600
CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def stripe_object(**changes: Any) -> dict[str, Any]:
    """A smallest object of the API, with changes; a change to None leaves the key out."""
    fields = {"id": "cus_1", "object": "customer", "livemode": True}
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def stripe_event(**changes: Any) -> dict[str, Any]:
    """A smallest webhook event, with changes; a change to None leaves the key out."""
    fields = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2020-08-27",
        "created": CREATED,
        "data": {"object": stripe_object()},
        "livemode": True,
        "type": "customer.updated",
    }
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def listed(*objects: Any, **changes: Any) -> dict[str, Any]:
    """A page of a list of the API."""
    return {"object": "list", "data": [*objects], "has_more": False, "url": "/v1/customers", **changes}


def land_stripe(
    home: Home,
    *lines: Mapping[str, Any] | str | bytes,
    name: str = "stripe.jsonl",
    now: datetime = NOW,
    received_at: datetime | None = None,
) -> IngestSummary:
    """Land lines of a JSONL file as deliveries of Stripe."""
    return land(home, jsonl(*lines), name, now=now, writer="stripe", received_at=received_at)


def landed_stripe(home: Home, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of all landed deliveries, in the order of their rows."""
    files = parquet_files(home.root / file.path for file in landed_files(home.control, entity=STRIPE.name))
    if not files:
        return []
    with asked() as connection:
        rows = connection.execute(
            f"select {', '.join(columns)} from {files} order by row_number, delivery_id, batch_seq"
        ).fetchall()
    return [tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row) for row in rows]


def compact(value: Any) -> str:
    """A value as JSON text without white space."""
    return json.dumps(value, separators=(",", ":"))
