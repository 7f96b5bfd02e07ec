"""Tiny warehouses: a few people, what they did and when, in the tables that reports read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import count
from typing import Any

import duckdb

from models.keys import identifier_uuid, key_of
from warehouse.home import Home

DAY_0 = datetime(2026, 1, 1, tzinfo=timezone.utc)
AS_OF = datetime(2026, 7, 1, tzinfo=timezone.utc)
_WHEN = re.compile(r"d(-?\d+)(?: (\d\d):(\d\d)(?::(\d\d))?)?")
_number = count()


@dataclass(frozen=True)
class Event:
    """One row of the event table, as far as reports look at it."""

    person: str | None
    event_type: str
    occurred_at: datetime
    source: str = "app"
    event_id: str = ""
    category: str = "core_value"
    is_action: bool = True
    utm_source: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stay:
    """One row of segment_stay."""

    segment_id: str
    person: str
    entered_at: datetime
    exited_at: datetime | None = None


def when(text: str | datetime) -> datetime:
    """``d3`` is three days after the first of January 2026; ``d3 12:30`` and ``d3 12:30:15`` are times of that day."""
    if isinstance(text, datetime):
        return text
    match = _WHEN.fullmatch(text)
    assert match, text
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    return DAY_0 + timedelta(days=int(match[1]), hours=hours, minutes=minutes, seconds=seconds)


def event(person: str | None, event_type: str, at: str | datetime, **columns: Any) -> Event:
    """One event; its id says in which order the test wrote it unless one is given."""
    columns.setdefault("event_id", f"e{next(_number):08d}")
    return Event(person, event_type, when(at), **columns)


def journey(person: str, /, **moments: str | Sequence[str]) -> list[Event]:
    """What one person did: ``journey("ada", visit="d0", signup=("d1", "d9"))``."""
    return [
        event(person, event_type, at)
        for event_type, given in moments.items()
        for at in ([given] if isinstance(given, str) else given)
    ]


def stay(segment_id: str, person: str, entered: str | datetime, exited: str | datetime | None = None) -> Stay:
    """One stay in a segment."""
    return Stay(segment_id, person, when(entered), None if exited is None else when(exited))


def key(person: str) -> int:
    """The person_key of a person."""
    return key_of(identifier_uuid("user_id", person))


def person_id(person: str) -> str:
    """The person_id of a person."""
    return str(identifier_uuid("user_id", person))


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One engine for all tests of a process: starting one takes longer than asking it."""
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    return connection


class Asked:
    """A database that answers reports as the real warehouse does; ``connection`` holds its tables."""

    generation = "0000000001"
    connection: duckdb.DuckDBPyConnection

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows."""
        return self.connection.execute(sql, params or None).fetchall()

    def dicts(self, sql: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """All rows by the names of their columns."""
        cursor = self.connection.execute(sql, params or None)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class TinyWarehouse(Asked):
    """An open warehouse in memory, with the same way of asking as the real one."""

    def __init__(
        self,
        events: Iterable[Event] = (),
        *,
        as_of: str | datetime = AS_OF,
        stays: Iterable[Stay] = (),
        persons: Mapping[str, Mapping[str, Any]] | None = None,
        segments: Sequence[str] = (),
        properties: Sequence[tuple[str, str, Any, str | datetime, str | datetime | None]] = (),
    ) -> None:
        """``properties`` are rows of person_property: person, property, value, from when, until when."""
        self.as_of = when(as_of)
        self.name = f"tiny_{next(_number)}"
        self.connection = _engine().cursor()
        self.connection.execute(f"attach ':memory:' as {self.name}")
        self.connection.execute(f"use {self.name}")
        self.connection.execute("set TimeZone = 'UTC'")
        self._write(list(events), list(stays), persons or {}, segments)
        self.connection.execute(_PROPERTY)
        told = [
            (name, column, value, DAY_0, None)
            for name, columns in (persons or {}).items()
            for column, value in columns.items()
        ]
        self._insert("person_property", [_property_row(*row) for row in (*told, *properties)])
        self.connection.execute(
            "create table person_alias as select person_id as alias_id, person_id, person_key from person"
        )

    def __enter__(self) -> TinyWarehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, home: Home) -> None:
        """Make it the generation that readers of a home open."""
        target = home.warehouse_dir / f"{self.generation}.duckdb"
        self.connection.execute(f"attach '{target}' as published")
        self.connection.execute(f"copy from database {self.name} to published")
        self.connection.execute("detach published")
        home.current.symlink_to(target.relative_to(home.root))

    def close(self) -> None:
        self.connection.execute("use memory")
        self.connection.execute(f"detach {self.name}")
        self.connection.close()

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        for start in range(0, len(rows), 200):
            batch = rows[start : start + 200]
            row = "(" + ", ".join("?" for _ in batch[0]) + ")"
            statement = f"insert into {table} values {', '.join([row] * len(batch))}"
            self.connection.execute(statement, [cell for one in batch for cell in one])

    def _write(
        self,
        events: list[Event],
        stays: list[Stay],
        persons: Mapping[str, Mapping[str, Any]],
        segments: Sequence[str],
    ) -> None:
        run = self.connection.execute
        run(_EVENT)
        self._insert("event", [_event_row(one) for one in events])
        run(_PERSON)
        firsts = {one.person: DAY_0 for one in stays} | dict.fromkeys(persons, DAY_0)
        for one in sorted(events, key=lambda one: one.occurred_at, reverse=True):
            if one.person:
                firsts[one.person] = one.occurred_at
        rows = [_person_row(name, {"created_at": at, **persons.get(name, {})}) for name, at in sorted(firsts.items())]
        self._insert("person", [row for row in rows if row[2] <= self.as_of])
        run(_STAY)
        self._insert("segment_stay", [("m", key(one.person), *_stay_row(one)) for one in stays])
        run("create table segment (segment_id varchar, display_order bigint, has_history boolean)")
        names = dict.fromkeys((*segments, *(one.segment_id for one in stays)))
        self._insert("segment", [(name, order, True) for order, name in enumerate(names)])
        run("create table build_info (as_of timestamptz, generation varchar)")
        run("insert into build_info values (?, ?)", [self.as_of, self.generation])


def _event_row(one: Event) -> tuple[Any, ...]:
    return (
        one.source,
        one.event_id,
        one.event_type,
        one.category,
        one.is_action,
        one.occurred_at,
        key(one.person) if one.person else None,
        one.utm_source,
        json.dumps(dict(one.properties)),
    )


def _person_row(name: str, given: Mapping[str, Any]) -> tuple[Any, ...]:
    values = {"person_id": person_id(name), "person_key": key(name), "email": f"{name}@example.org", **given}
    return tuple(values.get(column) for column in PERSON_COLUMNS)


def _property_row(
    name: str, column: str, value: Any, start: str | datetime, end: str | datetime | None
) -> tuple[Any, ...]:
    """A value as the tables keep it: its text and its type; a datetime is a property that we compute."""
    if isinstance(value, datetime):
        text, kind = value.isoformat(), "time"
    else:
        kinds = {str: "text", bool: "boolean", int: "number", float: "number"}
        text, kind = value if isinstance(value, str) else json.dumps(value), kinds.get(type(value), "json")
    return key(name), column, text, kind, when(start), when(end) if end else None


def _stay_row(one: Stay) -> tuple[Any, ...]:
    return one.segment_id, one.entered_at, one.exited_at


_EVENT = """
create table event (
    source varchar, event_id varchar, event_type varchar, category varchar, is_action boolean,
    occurred_at timestamptz, person_key bigint, utm_source varchar, properties varchar
)"""
PERSON_COLUMNS = (
    "person_id",
    "person_key",
    "created_at",
    "email",
    "source",
    "medium",
    "campaign",
    "company",
    "usage_status",
)
_PERSON = f"create table person ({', '.join(f'{name} varchar' for name in PERSON_COLUMNS)})".replace(
    "person_key varchar, created_at varchar", "person_key bigint, created_at timestamptz"
)
_PROPERTY = """
create table person_property (
    person_key bigint, property varchar, value varchar, value_type varchar,
    valid_from timestamptz, valid_to timestamptz
)"""
_STAY = """
create table segment_stay (
    membership_id varchar, person_key bigint, segment_id varchar, entered_at timestamptz, exited_at timestamptz
)"""
