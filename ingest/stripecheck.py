"""One delivery of Stripe brought into landed form; the exact twin of what ``stripesql`` does in bulk.

A delivery is a webhook event or an object of the API, raw or in an envelope; a list of the API holds several. Its body
lands as it is written: only what says which delivery it is, and of when, must be there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.delivery import Delivery, element_texts, member_text, open_delivery
from ingest.reasons import Reason, Refused, RefusedRow
from ingest.strictjson import shown
from ingest.times import TimeRange, instant
from models import limits
from models.errors import UsageError

EVENT_OBJECTS = ("event", "v2.core.event")
LIST_OBJECTS = ("list", "search_result")


@dataclass(frozen=True)
class StripeRules:
    """What holds for every delivery of an input.

    Attributes:
        times: within which it may have been made and received.
        received_at: when those that do not say so were received.
        account: the connected account of those that name none.
        livemode: the mode of those that do not say it.
    """

    times: TimeRange
    received_at: datetime | None = None
    account: str = ""
    livemode: bool | None = None


def account_id(given: str) -> str:
    """The id of a connected account; '' stands for one's own.

    Raises:
        UsageError: if it is none.
    """
    if given and not re.fullmatch(r"acct_[A-Za-z0-9_]+", given):
        raise UsageError(f"--account {given!r} is no account of Stripe, such as acct_1032D82eZvKYlo2C")
    return given


def check_text(text: str, row_number: int, rules: StripeRules) -> Iterator[dict[str, Any] | RefusedRow]:
    """The deliveries of one JSON text in landed form (``STRIPE_CHECKED``), or why they cannot land."""
    try:
        delivery = open_delivery(text.strip(" \t\r\n"), rules.times)
        entries = list(_entries(delivery)) if _is_list(delivery.value) else None
    except Refused as refusal:
        yield RefusedRow(row_number, refusal.reason, refusal.detail, text.encode("utf-8", "surrogatepass"))
        return
    for entry in [delivery] if entries is None else entries:
        try:
            yield _landed(entry, rules) | {"row_number": row_number}
        except Refused as refusal:
            raw = text if entries is None else _enveloped(entry)
            yield RefusedRow(row_number, refusal.reason, refusal.detail, raw.encode("utf-8", "surrogatepass"))


def _is_list(value: Any) -> bool:
    return isinstance(value, dict) and value.get("object") in LIST_OBJECTS


def _entries(delivery: Delivery) -> Iterator[Delivery]:
    values = delivery.value.get("data")
    if not isinstance(values, list):
        raise Refused(Reason.TYPE_MISMATCH, "data of a list is no array")
    texts = element_texts(member_text(delivery.text, "data"))
    for value, text in zip(values, texts, strict=True):
        yield Delivery(text, value, delivery.received_at)


def _enveloped(entry: Delivery) -> str:
    """An entry of a list as a text that can be read again by itself."""
    if entry.received_at is None:
        return entry.text
    return f'{{"received_at": {json.dumps(entry.received_at.isoformat())}, "body": {entry.text}}}'


def _landed(delivery: Delivery, rules: StripeRules) -> dict[str, Any]:
    body = delivery.value
    if not isinstance(body, dict):
        raise Refused(Reason.NOT_AN_OBJECT, "neither an event nor an object of Stripe")
    if len(delivery.text.encode()) > limits.MAX_EVENT_BYTES:
        raise Refused(Reason.TOO_LARGE, f"at most {limits.MAX_EVENT_BYTES} bytes are taken")
    if delivery.channel is not None:
        raise Refused(Reason.UNKNOWN_VALUE, "deliveries of Stripe have no channel")
    kind = _required(body, "object")
    if kind in LIST_OBJECTS:
        raise Refused(Reason.UNKNOWN_VALUE, f"object {shown(kind)} inside a list")
    livemode = _flag(body, "livemode")
    row: dict[str, Any] = {"livemode": rules.livemode if livemode is None else livemode, "body": delivery.text}
    received_at = delivery.received_at or rules.received_at
    if kind in EVENT_OBJECTS:
        return row | _event(body, rules) | {"received_at": received_at}
    object_id = _required(body, "id")
    return row | {
        "delivery_id": f"{kind}:{object_id}",
        "kind": "object",
        "object_type": kind,
        "object_id": object_id,
        "account": rules.account,
        "fetched_at": received_at,
    }


def _event(body: dict[str, Any], rules: StripeRules) -> dict[str, Any]:
    event_id, event_type = _required(body, "id"), _required(body, "type")
    if body.get("created") is None:
        raise Refused(Reason.MISSING_FIELD, "created is missing")
    created_at = instant("created", body["created"])
    rules.times.check("created", created_at)
    data, related = body.get("data"), body.get("related_object")
    carried = data.get("object") if isinstance(data, dict) else None
    if isinstance(carried, dict):
        object_type, object_id = carried.get("object"), carried.get("id")
    elif isinstance(related, dict):
        object_type, object_id = related.get("type"), related.get("id")
    else:
        object_type = object_id = None
    return {
        "delivery_id": event_id,
        "kind": "event",
        "event_type": event_type,
        "object_type": object_type if isinstance(object_type, str) else None,
        "object_id": object_id if isinstance(object_id, str) else None,
        "created_at": created_at,
        "api_version": _text(body, "api_version"),
        "account": _text(body, "account") or rules.account,
    }


def _required(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        raise Refused(Reason.MISSING_FIELD, f"{name} is missing: neither an event nor an object nor a list of Stripe")
    if not isinstance(value, str):
        raise Refused(Reason.TYPE_MISMATCH, f"{name} is no text")
    if not value.strip():
        raise Refused(Reason.EMPTY_ID, f"{name} is empty")
    if len(value.encode()) > limits.MAX_ID_BYTES:
        raise Refused(Reason.ID_TOO_LONG, f"{name} is longer than {limits.MAX_ID_BYTES} bytes")
    return value


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(Reason.TYPE_MISMATCH, f"{name} is no text")
    return value


def _flag(body: dict[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused(Reason.TYPE_MISMATCH, f"{name} is neither true nor false")
    return value
