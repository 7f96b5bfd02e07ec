"""Retention as named SQL steps.

A period is a whole number: of the member's start it is counted 0. Calendar periods are differences of calendar days,
weeks or months in the zone; rolling ones are multiples of 24 h since the start. The last step counts persons, small
enough for the rest to be sums: ``part`` says what is counted, ``cohort`` is the number of the calendar interval.

- ``elapsed``: members by how many of their periods are over at as_of.
- ``active``: members by the periods they were active in; by the last (``on_or_after``) or first (``on_or_before``) one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics import dialect
from analytics.interval import Interval, interval_number
from analytics.query import Query, Step, Value

Kind = Literal["on", "on_or_after", "on_or_before"]
Period = Literal["calendar", "rolling"]
_ROLLING_DAYS = {"day": 1, "week": 7, "month": 30}
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Shape:
    """All that decides the text of the query; ``days`` are the N of the retention_dN that are asked for."""

    start_types: tuple[str, ...]
    return_types: tuple[str, ...]
    interval: Interval
    kind: Kind
    period: Period
    last_period: int
    days: tuple[int, ...]
    tz: str
    as_of: datetime
    start: datetime | None
    end: datetime | None


def cohort_query(shape: Shape) -> Query:
    """The steps of a cohort table; no start types: any event, no return types: any action."""
    steps = [*member_steps(shape), _activity(shape)]
    tallies = [_elapsed(shape, "period", shape.last_period + 1)]
    steps.append(_active(shape, "period", list(range(shape.last_period + 1))))
    tallies.append(
        "select 'period_active' as part, cohort, number, count(*) as persons\nfrom period_active\ngroup by 2, 3"
    )
    if shape.days:
        tallies.append(_elapsed(shape, "day", max(shape.days) + 1))
        steps.append(_active(shape, "day", list(shape.days)))
        tallies.append(
            "select 'day_active' as part, cohort, number, count(*) as persons\nfrom day_active\ngroup by 2, 3"
        )
    steps.append(Step("tally", "\nunion all\n".join(tallies)))
    return Query(tuple(steps), values_of(shape))


def member_steps(shape: Shape) -> tuple[Step, Step]:
    """``start`` and ``member``: who is in which cohort."""
    return _start(shape), _member(shape)


def values_of(shape: Shape) -> dict[str, Value]:
    """What the steps name with ``$``."""
    values: dict[str, Value] = {"as_of": shape.as_of, "tz": shape.tz}
    values |= {f"start_type_{number}": name for number, name in enumerate(shape.start_types, start=1)}
    values |= {f"return_type_{number}": name for number, name in enumerate(shape.return_types, start=1)}
    if shape.start:
        values["start_at"] = shape.start
    if shape.end:
        values["end_at"] = shape.end
    return values


def _types(prefix: str, names: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"${prefix}_type_{number}" for number in range(1, len(names) + 1)) + ")"


def _start(shape: Shape) -> Step:
    """When it began for each person: the first such event ever, whatever the range."""
    types = f"event_type in {_types('start', shape.start_types)}\n    and " if shape.start_types else ""
    return Step(
        "start",
        "select person_key, min(occurred_at) as started_at\nfrom event\n"
        f"where {types}person_key is not null\n    and occurred_at <= $as_of\ngroup by person_key",
    )


def _member(shape: Shape) -> Step:
    where = []
    if shape.start:
        where.append("started_at >= $start_at")
    if shape.end:
        where.append("started_at < $end_at")
    return Step(
        "member",
        "select\n    person_key,\n    started_at,\n"
        f"    {interval_number('started_at', shape.interval, shape.tz)} as cohort,\n"
        f"    {dialect.day_number('started_at', shape.tz)} as start_day\nfrom start"
        + ("\nwhere " + "\n    and ".join(where) if where else ""),
    )


def _number_since_start(moment: str, unit: Interval, shape: Shape, member: str) -> str:
    """The period of a time, counted from a member's start."""
    if shape.period == "rolling":
        elapsed = f"{dialect.microseconds(moment)} - {dialect.microseconds(f'{member}started_at')}"
        return dialect.whole(elapsed, _ROLLING_DAYS[unit] * _DAY)
    if unit == "day" and shape.interval != "day":
        return f"{dialect.day_number(moment, shape.tz)} - {member}start_day"
    return f"{interval_number(moment, unit, shape.tz)} - {member}cohort"


def _activity(shape: Shape) -> Step:
    """One row per return event at or after the start."""
    types = f"event.event_type in {_types('return', shape.return_types)}" if shape.return_types else "event.is_action"
    day = f",\n    {_number_since_start('event.occurred_at', 'day', shape, 'member.')} as day" if shape.days else ""
    return Step(
        "activity",
        "select\n    member.person_key,\n    member.cohort,\n"
        f"    {_number_since_start('event.occurred_at', shape.interval, shape, 'member.')} as period{day}\n"
        "from event\ninner join member\n    on event.person_key = member.person_key\n"
        f"where {types}\n    and event.occurred_at >= member.started_at\n    and event.occurred_at <= $as_of",
    )


def _active(shape: Shape, unit: Literal["period", "day"], numbers: list[int]) -> Step:
    if shape.kind == "on":
        wanted = f"<= {numbers[-1]}" if unit == "period" else f"in ({', '.join(str(number) for number in numbers)})"
        select = (
            f"select person_key, cohort, {unit} as number\nfrom activity\nwhere {unit} {wanted}\n"
            f"group by person_key, cohort, {unit}"
        )
    elif shape.kind == "on_or_after":
        select = (
            f"select person_key, cohort, least(max({unit}), {max(numbers)}) as number\nfrom activity\n"
            "group by person_key, cohort"
        )
    else:
        select = f"select person_key, cohort, min({unit}) as number\nfrom activity\ngroup by person_key, cohort"
    return Step(f"{unit}_active", select)


def _elapsed(shape: Shape, unit: Literal["period", "day"], most: int) -> str:
    length: Interval = shape.interval if unit == "period" else "day"
    elapsed = _number_since_start("$as_of", length, shape, "")
    return (
        f"select '{unit}_elapsed' as part, cohort, least({elapsed}, {most}) as number, count(*) as persons\n"
        "from member\ngroup by 2, 3"
    )
