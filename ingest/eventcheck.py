"""One event judged and normalised by the model itself: for the few rows that SQL does not take at a glance.

What SQL takes (``landing_sql``) comes out the same here; a property test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from ingest import strictjson
from ingest.fields import IDENTIFIER_SPELLINGS, JSON_KEYS, KINDS, Kind
from ingest.reasons import Reason, Refused
from ingest.strictjson import shown
from ingest.times import TimeRange, instant
from models.event import UnifiedEvent
from models.keys import normalise_email, normalise_event_type, normalise_id
from models.landing import EVENT_COLUMNS

_HEX_64 = re.compile(r"[0-9a-f]{64}")
_TIMES = ("occurred_at", "sent_at", "received_at")
_NORMALISED = (Kind.IDENTIFIER, Kind.EVENT_TYPE, Kind.EMAIL, Kind.EMAIL_SHA256)
#: Stands for the id that is computed where a row has none.
_ANY_ID = "-"


@dataclass(frozen=True)
class Rules:
    """What holds for every row of an input.

    ``source`` is taken where the row names none.
    """

    source: str
    times: TimeRange


def check_event(event: Any, rules: Rules) -> dict[str, Any]:
    """The landed columns of a JSON event, by name; those of the batch (batch_seq, body_key, …) are not among them.

    ``event_id`` is None where the event has none; it is computed from the others then.

    Args:
        event: what ``strictjson.parse`` gave, or the same with times as datetimes.
        rules: what holds for all rows of the input.

    Raises:
        Refused: with the first thing that is wrong.
    """
    if not isinstance(event, dict):
        raise Refused(Reason.NOT_AN_OBJECT, f"an event is a JSON object, not {_kind_of(event)}")
    fields = _fields(event)
    for name in _TIMES:
        if name in fields:
            fields[name] = instant(name, fields[name])
    identifiers = _identifiers(fields)
    _validate(fields)
    row: dict[str, Any] = dict.fromkeys(column.name for column in EVENT_COLUMNS) | {"source": rules.source}
    given: dict[str, Any] = {}
    for name, value in fields.items():
        row[name] = _normalise(name, value, given) if KINDS[name] in _NORMALISED else value or None
    row["custom_ids"] = _custom_ids(identifiers, given)
    for name in ("properties", "traits", "metadata"):
        row[name] = None if fields.get(name) is None else strictjson.write(fields[name])
    row["properties"] = row["properties"] or "{}"
    row["occurred_at"] = _skew_corrected(fields, given)
    rules.times.check("occurred_at", row["occurred_at"])
    if fields.get("received_at") is not None:
        rules.times.check("received_at", fields["received_at"])
    row["given"] = strictjson.write({name: given[name] for name in _in_order(given)}) if given else None
    return row


def _fields(event: Mapping[str, Any]) -> dict[str, Any]:
    """Values by column, in either spelling; null is absent, and what is no field joins the properties."""
    fields: dict[str, Any] = {}
    others: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for key, value in event.items():
        column = JSON_KEYS.get(key)
        if column is None:
            others[key] = value
        elif value is not None:
            if column in fields:
                raise Refused(Reason.DUPLICATE_KEY, f"{spelled[column]!r} and {key!r} are the same field")
            fields[column], spelled[column] = value, key
    if others:
        properties = fields.get("properties", {})
        if not isinstance(properties, dict):
            raise Refused(Reason.TYPE_MISMATCH, f"properties is no JSON object but {_kind_of(properties)}")
        for key in others:
            if key in properties and strictjson.write(properties[key]) != strictjson.write(others[key]):
                raise Refused(
                    Reason.DUPLICATE_KEY, f"{shown(key)} stands in the event and, with another value, in its properties"
                )
        # Sorted, so that what a body is does not depend on the order in which they were given.
        fields["properties"] = {**properties, **dict(sorted(others.items()))}
    return fields


def _identifiers(fields: dict[str, Any]) -> dict[str, str]:
    """Take the ``identifiers`` object apart: known types become fields, the others are returned."""
    given = fields.pop("identifiers", None)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Refused(Reason.TYPE_MISMATCH, f"identifiers is no JSON object but {_kind_of(given)}")
    custom: dict[str, str] = {}
    for key, value in given.items():
        if value is None:
            continue
        if not isinstance(value, str):
            raise Refused(Reason.TYPE_MISMATCH, f"identifiers.{shown(key)} is no text but {_kind_of(value)}")
        name = IDENTIFIER_SPELLINGS.get(key)
        target, name = (custom, normalise_id(key)) if name is None else (fields, name)
        if name in target and target[name] != value:
            raise Refused(Reason.DUPLICATE_KEY, f"{shown(name)} is given twice with different values")
        target[name] = value
    if custom:
        fields["identifiers"] = custom
    return custom


def _validate(fields: dict[str, Any]) -> None:
    """Let the model judge; ``fields`` loses ``identifiers``, which it has now checked."""
    judged = {"timestamp" if name == "occurred_at" else name: value for name, value in fields.items()}
    extra = {
        name: judged.pop(name) for name in ("stripe_id", "google_id", "github_id", "email_sha256") if name in judged
    }
    if extra or "identifiers" in judged:
        judged["identifiers"] = {**judged.get("identifiers", {}), **extra}
    judged.setdefault("event_id", _ANY_ID)
    fields.pop("identifiers", None)
    try:
        UnifiedEvent.model_validate(judged)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise _refusal(problem["type"], tuple(map(str, problem["loc"])), problem["msg"]) from None


def _refusal(kind: str, place: tuple[str, ...], message: str) -> Refused:
    name = shown(".".join(place)).strip("'\"")
    column = JSON_KEYS.get(place[0], place[0]) if place else ""
    text = message.removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "missing":
        return Refused(Reason.MISSING_FIELD, f"{name} is missing")
    if kind == "literal_error":
        return Refused(Reason.UNKNOWN_VALUE, f"{name} is not one of {text}")
    if kind == "value_error":
        is_id = column == "identifiers" or KINDS.get(column) in _NORMALISED
        return Refused(_reason_of(text, is_id=is_id), f"{name} {text}")
    return Refused(Reason.TYPE_MISMATCH, f"{name} is not {text}")


def _reason_of(text: str, *, is_id: bool) -> Reason:
    """The reason behind a message of the model (models/event.py)."""
    for part, reason in (
        ("is empty", Reason.EMPTY_ID),
        ("NUL", Reason.NUL),
        ("surrogate", Reason.BAD_UNICODE),
        ("nested deeper", Reason.TOO_DEEP),
        ("not finite", Reason.NON_FINITE),
        ("longer than", Reason.ID_TOO_LONG if is_id else Reason.TOO_LARGE),
        ("more than", Reason.TOO_LARGE),
    ):
        if part in text:
            return reason
    return Reason.UNKNOWN_VALUE


def _normalise(name: str, value: str, given: dict[str, Any]) -> str | None:
    """The match key of an identifier; ``given`` gets the original where it differs."""
    match KINDS[name]:
        case Kind.EVENT_TYPE:
            key: str | None = normalise_event_type(value)
        case Kind.EMAIL:
            email = normalise_email(value)
            key = email if is_address(email) else None
        case Kind.EMAIL_SHA256:
            key = normalise_id(value).lower()
            if not _HEX_64.fullmatch(key):
                raise Refused(Reason.UNKNOWN_VALUE, f"{name} is not 64 hexadecimal digits")
        case _:
            key = normalise_id(value)
    if key != value:
        given[name] = value
    return key


def is_address(email: str) -> bool:
    """Whether a text can be an e-mail address that identifies somebody: one @, nothing blank or invisible."""
    local, at, domain = email.partition("@")
    return bool(local and at and domain) and "@" not in domain and " " not in email and email.isprintable()


def _custom_ids(identifiers: Mapping[str, str], given: dict[str, Any]) -> str | None:
    keys = {}
    for name in sorted(identifiers):
        keys[name] = normalise_id(identifiers[name])
        if keys[name] != identifiers[name]:
            given[f"custom:{name}"] = identifiers[name]
    return strictjson.write(keys) if keys else None


def _skew_corrected(fields: Mapping[str, Any], given: dict[str, Any]) -> datetime:
    """The time by our clock: the client's own, moved by what its clock was off when it sent the event."""
    occurred_at: datetime = fields["occurred_at"]
    sent_at, received_at = fields.get("sent_at"), fields.get("received_at")
    if sent_at is None or received_at is None or sent_at == received_at:
        return occurred_at
    given["occurred_at"] = f"{occurred_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    try:
        corrected: datetime = received_at - (sent_at - occurred_at)
    except OverflowError:
        raise Refused(Reason.TIME_RANGE, "occurred_at, corrected by sent_at and received_at, is out of range") from None
    return corrected


def _in_order(names: Mapping[str, Any]) -> list[str]:
    columns = [column.name for column in EVENT_COLUMNS]
    return sorted(names, key=lambda name: (columns.index(name) if name in columns else len(columns), name))


def _kind_of(value: Any) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return "a text"
        case bool():
            return "true or false"
        case None:
            return "null"
        case _:
            return "a number"
