"""Who is in a segment at a moment, by looking: every rule counted and compared anew, in plain Python.

A rule is True, False or None (unknown). It is written from the definitions in prose, not from the SQL.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analytics.duration import Duration
from tests.analytics.builders import Event, key, when

Rule = Mapping[str, Any]
_NOW = re.compile(r"now(?: ?([+-]) ?(\w+))?")
_CAMEL = {"lastActionDate": "last_action_date", "totalEvents": "total_events", "createdAt": "created_at"}


@dataclass(frozen=True)
class Fact:
    """A value of a person's property, and from when to when it holds."""

    property: str
    value: Any
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Past:
    """All that is known of one person."""

    person: str
    events: Sequence[Event]
    facts: Sequence[Fact] = ()

    def value_at(self, name: str, now: datetime) -> Any:
        """What a property says at a moment; None if nothing."""
        so_far = sorted(one.occurred_at for one in self.events if one.occurred_at <= now)
        actions = sorted(one.occurred_at for one in self.events if one.occurred_at <= now and one.is_action)
        computed: dict[str, Any] = {
            "created_at": so_far[0] if so_far else None,
            "last_event_at": so_far[-1] if so_far else None,
            "total_events": len(so_far) or None,
            "first_action_date": actions[0] if actions else None,
            "last_action_date": actions[-1] if actions else None,
        }
        if name in computed:
            return computed[name]
        held = [fact for fact in self.facts if fact.start <= now and (fact.end is None or now < fact.end)]
        values = {fact.property: fact.value for fact in held}
        return values.get(name)


def is_in(segment_id: str, segments: Mapping[str, Sequence[Rule]], past: Past, now: datetime) -> bool:
    """Whether a person is in a segment; nobody is before their first event."""
    if not any(one.occurred_at <= now for one in past.events):
        return False
    return _all([truth(rule, segments, past, now) for rule in segments[segment_id]]) is True


def truth(rule: Rule, segments: Mapping[str, Sequence[Rule]], past: Past, now: datetime) -> bool | None:
    """Whether one rule holds; None if it cannot be said."""
    if "all" in rule:
        return _all([truth(one, segments, past, now) for one in rule["all"]])
    if "any" in rule:
        return _not(_all([_not(truth(one, segments, past, now)) for one in rule["any"]]))
    if "not" in rule:
        return _not(truth(rule["not"], segments, past, now))
    if "cohortId" in rule:
        if rule["cohortId"] in segments:
            return is_in(rule["cohortId"], segments, past, now)
        return compare("equals", past.value_at("cohort", now), rule["cohortId"], now)
    if "holdout" in rule:
        text = f"{rule['holdout']['salt']}|{key(past.person)}"
        return int(hashlib.md5(text.encode()).hexdigest()[:8], 16) < rule["holdout"]["percent"] / 100 * 16**8
    if "list" in rule:
        return any(
            one["id"] == f"user_id:{past.person}"
            and _time(one["from"]) <= now
            and ("until" not in one or now < _time(one["until"]))
            for one in rule["list"]
        )
    if "property" in rule:
        value = past.value_at(_CAMEL.get(rule["property"], rule["property"]), now)
        if rule["operator"] == "exists":
            return (value is not None) is rule.get("value", True)
        return compare(rule["operator"], value, rule["value"], now)
    return _counts(rule, past, now)


def compare(operator: str, value: Any, operand: Any, now: datetime) -> bool | None:
    """One comparison; None if the value is absent or of another kind."""
    if operator.startswith("not_"):
        return _not(compare(operator.removeprefix("not_"), value, operand, now))
    if operator == "between":
        return _all([compare("gte", value, operand[0], now), compare("lte", value, operand[1], now)])
    if operator in ("gte", "lte", "gt", "lt", "before", "after"):
        return _ordered({"before": "lt", "after": "gt"}.get(operator, operator), value, operand, now)
    first = operand[0] if operator == "in" else operand
    if _kind(value) != _kind(first):
        return None
    if operator == "in":
        return value in operand
    if operator == "equals":
        return bool(value == operand)
    return value.startswith(operand) if operator == "starts_with" else operand in value


def _ordered(operator: str, value: Any, operand: Any, now: datetime) -> bool | None:
    if isinstance(operand, str):
        moment = value if isinstance(value, datetime) else _time_said(value)
        if moment is None:
            return None
        match = _NOW.fullmatch(operand)
        if not match:
            return _order(operator, moment, _time(operand))
        # value <= now - 30d says that 30 days after the value have come.
        length = Duration.parse(match[2]) if match[2] else None
        moved = moment if length is None else length.after(moment) if match[1] == "-" else length.before(moment)
        return _order(operator, moved, now)
    return _order(operator, value, operand) if _kind(value) == "number" else None


def _order(operator: str, left: Any, right: Any) -> bool:
    return bool({"gte": left >= right, "lte": left <= right, "gt": left > right, "lt": left < right}[operator])


def _counts(rule: Rule, past: Past, now: datetime) -> bool:
    window = Duration.parse(rule["eventWindow"]) if "eventWindow" in rule else None
    happened = [
        moment
        for moment in _happened(rule, past.events)
        if moment <= now and (window is None or now < window.after(moment))
    ]
    ranges = [
        (rule.get("eventCount"), len(happened)),
        (rule.get("distinctDays"), len({moment.date() for moment in happened})),
    ]
    asked = [(asked, count) for asked, count in ranges if asked] or [({"gte": 1}, len(happened))]
    return all(one.get("gte", 0) <= count <= one.get("lte", count) for one, count in asked)


def _happened(rule: Rule, events: Sequence[Event]) -> Iterator[datetime]:
    """The times of events that count; of a sequence those of last steps."""
    if "sequence" not in rule:
        yield from (one.occurred_at for one in events if _matches(rule, one))
        return
    within = Duration.parse(rule["within"])
    steps = rule["sequence"]
    for last in events:
        chains = itertools.permutations([one for one in events if one is not last], len(steps) - 1)
        if any(
            all(_matches(step, one) for step, one in zip(steps, (*chain, last), strict=True))
            and all(one.occurred_at <= other.occurred_at for one, other in itertools.pairwise((*chain, last)))
            and last.occurred_at <= within.after(chain[0].occurred_at)
            for chain in chains
        ):
            yield last.occurred_at


def _matches(step: Rule, one: Event) -> bool:
    types = [step["eventType"]] if isinstance(step["eventType"], str) else step["eventType"]
    return one.event_type in types and all(
        one.properties.get(rule["property"]) is not None
        if rule["operator"] == "exists"
        else compare(rule["operator"], one.properties.get(rule["property"]), rule["value"], one.occurred_at)
        for rule in step.get("where", ())
    )


def _all(truths: Sequence[bool | None]) -> bool | None:
    if False in truths:
        return False
    return None if None in truths else True


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else "other"


def _time(text: str) -> datetime:
    return when(text) if text.startswith("d") else datetime.fromisoformat(text)


def _time_said(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def moments(segments: Mapping[str, Sequence[Rule]], past: Past) -> set[datetime]:
    """Every moment at which something can change, and the instants around it."""
    written = repr(segments)
    lengths = [Duration.parse(text) for text in set(re.findall(r"(?<![\w-])\d+[hdw](?!\w)", written))]
    bounds = {datetime.fromisoformat(text) for text in re.findall(r"'(\d{4}-\d\d-\d\dT[^']*)'", written)}
    times = {one.occurred_at for one in past.events} | bounds
    times |= {moment for fact in past.facts for moment in (fact.start, fact.end) if moment}
    times |= {moment for fact in past.facts if (moment := _time_said(fact.value)) is not None}
    shifted = {moved for moment in times for one in lengths for moved in (one.after(moment), one.before(moment))}
    instant = timedelta(microseconds=1)
    return {moment + shift for moment in times | shifted for shift in (-instant, timedelta(0), instant)}
