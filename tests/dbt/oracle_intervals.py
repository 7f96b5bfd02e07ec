"""What holds of a person from when to when, in plain Python from the definitions of the words."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from tests.dbt.identities import Delivery

#: When it was said, the event's body, the weight among what one event says, the trait and its value.
Statement = tuple[datetime, int, int, str, Any]
#: Property, value, type of the value, and from when to when it holds; None: without end.
Interval = tuple[str, str | None, str | None, datetime, datetime | None]


def usage_at(actions: list[datetime], moment: datetime) -> str:
    """The status of somebody who acted at these times."""
    past = [action for action in actions if action <= moment]
    if not past:
        return "never"
    if moment - min(past) < timedelta(days=7):
        return "new"
    return "active" if moment - max(past) < timedelta(days=30) else "inactive"


def usage_intervals(born: datetime, actions: list[datetime]) -> list[Interval]:
    """The status at every moment it can change, as if nothing more will happen."""
    moments = {born, *actions, *(action + timedelta(days=30) for action in actions)}
    if actions:
        moments.add(min(actions) + timedelta(days=7))
    changes: list[tuple[datetime, str]] = []
    for moment in sorted(moments):
        status = usage_at(actions, moment)
        if not changes or changes[-1][1] != status:
            changes.append((moment, status))
    ends = [moment for moment, _ in changes[1:]] + [None]
    return [("usage_status", status, "text", start, end) for (start, status), end in zip(changes, ends, strict=True)]


def status_intervals(born: datetime, actions: list[datetime]) -> list[Interval]:
    """Nobody here pays: active while the usage is new or active."""
    words = [
        ("active" if usage in ("new", "active") else "inactive", start)
        for _, usage, _, start, _ in usage_intervals(born, actions)
    ]
    changes = [words[0], *(after for before, after in itertools.pairwise(words) if before[0] != after[0])]
    ends = [start for _, start in changes[1:]] + [None]
    return [("status", word, "text", start, end) for (word, start), end in zip(changes, ends, strict=True)]


def trait_intervals(statements: list[Statement]) -> list[Interval]:
    """The intervals in which a trait holds; of several statements at one time the last counts, null takes back."""
    said: dict[str, dict[datetime, Any]] = defaultdict(dict)
    for at, _, _, name, value in statements:
        said[name][at] = value
    rows = []
    for name, values in said.items():
        changes: list[tuple[datetime, Any]] = []
        for moment, value in values.items():
            if not changes or not _same(changes[-1][1], value):
                changes.append((moment, value))
        ends = [moment for moment, _ in changes[1:]] + [None]
        for (start, value), end in zip(changes, ends, strict=True):
            if value is not None:
                rows.append((name, as_text(value), _type(value), start, end))
    return rows


def first_facts(events: list[Delivery]) -> list[Interval]:
    """Facts that never change: the signup, and the first touch (a direct visit is one)."""
    born = events[0]
    rows = [
        (name, born[column], "text", born["occurred_at"], None)
        for name, column in (("source", "utm_source"), ("medium", "utm_medium"), ("campaign", "utm_campaign"))
        if born[column] is not None
    ]
    signups = [event["occurred_at"] for event in events if event["event_type"] == "signup_completed"]
    if signups:
        signup = min(signups)
        rows += [
            ("signup_date", signup.isoformat(timespec="microseconds"), "time", signup, None),
            ("cohort", monday_of(signup), "text", signup, None),
        ]
    return rows


def _same(left: Any, right: Any) -> bool:
    return (as_text(left), _type(left)) == (as_text(right), _type(right))


def _type(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "json"


def as_text(value: Any) -> str | None:
    """A value of JSON as the tables hold it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def monday_of(moment: datetime) -> str:
    """The label of a week."""
    return str(moment.date() - timedelta(days=moment.weekday()))


def as_json(value: str, kind: str) -> str:
    """A value as the tables hold it, and its type, as JSON again."""
    return quoted(value) if kind == "text" else value


def quoted(text: str) -> str:
    """A text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)
