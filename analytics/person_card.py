"""Everything the warehouse knows of one person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from analytics.identifiers import find_identifier, survivors_of
from analytics.money import reporting_currency, rounded
from analytics.query import Engine
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape
from models.person import Person

LAST_EVENTS = 10


class LinkedIdentifier(Shape):
    """An identifier and the time in which it is the person's; the whole time unless a device is shared."""

    id_type: str
    id_value: str
    email: str | None
    is_primary: bool
    event_id: str
    valid_from: Moment
    valid_to: Moment | None


class HeldSubscription(Shape):
    """A subscription of the person, as of the build's now."""

    subscription_id: str
    plan_name: str | None
    status: str | None
    start_date: Moment | None
    cancelled_at: Moment | None


class Stay(Shape):
    """A stay in a segment; ``expires_at`` is when it will end if nothing more happens."""

    segment_id: str
    entered_at: Moment
    exited_at: Moment | None
    expires_at: Moment | None
    is_active: bool


class LastEvent(Shape):
    """One of the person's last events."""

    occurred_at: Moment
    event_type: str
    source: str
    event_id: str


class PersonCard(Shape):
    """A person's profile (null before its first event by now) and what belongs to it."""

    person_id: str
    profile: Person | None
    identifiers: tuple[LinkedIdentifier, ...]
    subscriptions: tuple[HeldSubscription, ...]
    segments: tuple[Stay, ...]
    last_events: tuple[LastEvent, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        parts = (
            ("Subscriptions", _rows(self.subscriptions), tuple(HeldSubscription.model_fields)),
            ("Segments", _rows(self.segments), tuple(Stay.model_fields)),
            ("Last events", _rows(self.last_events), tuple(LastEvent.model_fields)),
        )
        return Sheet(
            f"Person {self.person_id}",
            tuple(_profile_lines(self.profile, self.as_of)),
            (_identifiers(self.identifiers), *(_table(title, rows, names) for title, rows, names in parts if rows)),
        )


def show_person(engine: Engine, text: str) -> PersonCard:
    """Look a person up by any identifier, e-mail or id.

    Raises:
        UsageError: if no event carried it.
    """
    identifier = find_identifier(engine, text)
    survivor = survivors_of(engine, [identifier.key])[identifier.key]
    whose = {"person_key": survivor.key}
    return PersonCard(
        person_id=survivor.alias,
        profile=_profile(engine, whose),
        identifiers=tuple(LinkedIdentifier(**row) for row in engine.dicts(_IDENTIFIERS, whose)),
        subscriptions=tuple(HeldSubscription(**row) for row in engine.dicts(_SUBSCRIPTIONS, whose)),
        segments=tuple(Stay(**row) for row in engine.dicts(_SEGMENTS, whose)),
        last_events=tuple(LastEvent(**row) for row in engine.dicts(_EVENTS, {**whose, "as_of": engine.as_of})),
        as_of=engine.as_of,
    )


_IDENTIFIERS = """
select link.id_type, link.id_value, seen.email, link.is_primary, link.event_id, link.valid_from, link.valid_to
from identity_link as link
inner join intermediate.int_identity__identifier as seen on link.identifier_key = seen.identifier_key
where link.person_key = $person_key
order by link.valid_from, link.id_type, link.id_value
"""
_SUBSCRIPTIONS = """
select subscription_id, plan_name, status, start_date, cancelled_at
from subscription
where person_key = $person_key
order by start_date, subscription_id
"""
_SEGMENTS = """
select segment_id, entered_at, exited_at, expires_at, is_active
from segment_membership
where person_key = $person_key
order by entered_at, segment_id
"""
_EVENTS = f"""
select occurred_at, event_type, source, event_id
from event
where person_key = $person_key and occurred_at <= $as_of
order by occurred_at desc, source, event_id
limit {LAST_EVENTS}
"""


def _profile(engine: Engine, whose: Mapping[str, Any]) -> Person | None:
    rows = engine.dicts("select * exclude (person_key) from person where person_key = $person_key", whose)
    if not rows:
        return None
    spent = rows[0]["total_spent"]
    said = {
        "metadata": json.loads(rows[0]["metadata"] or "null"),
        "total_spent": None if spent is None else rounded(spent, reporting_currency(engine)),
    }
    return Person(**rows[0] | said)


def _profile_lines(profile: Person | None, as_of: Any) -> Iterable[str]:
    if profile is None:
        yield f"No event of it by {minute(as_of)} UTC."
        return
    for name, value in profile.model_dump(exclude={"person_id"}).items():
        if value is not None:
            yield f"{name.replace('_', ' ')}: {_said(value)}"


def _said(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{minute(value.astimezone(timezone.utc))} UTC"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _identifiers(links: Iterable[LinkedIdentifier]) -> Table:
    """What the person is known by, in full where the screen allows it; most have no end."""
    rows = [(f"{link.id_type}:{link.email or link.id_value}", link.valid_from, link.valid_to) for link in links]
    columns = (Column("identifier"), Column("since", "time"), Column("until", "time"))
    shown = 3 if any(until for *_, until in rows) else 2
    return first_rows(columns[:shown], tuple(row[:shown] for row in rows), title="Identifiers", what="identifiers")


def _rows(records: Iterable[Shape]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(dict(record).values()) for record in records)


def _table(title: str, rows: tuple[tuple[Any, ...], ...], names: tuple[str, ...]) -> Table:
    times = {"since", "until", "start_date", "cancelled_at", "entered_at", "exited_at", "expires_at", "occurred_at"}
    columns = tuple(
        Column(name.replace("_", " "), "time" if name in times else "flag" if name == "is_active" else "text")
        for name in names
    )
    return first_rows(columns, rows, title=title, what=title.lower())
