"""The reports once more, in plain Python over lists: slow, short, and written from what the words mean.

Nothing here knows SQL. A test compares a report with its oracle on random histories.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.analytics.builders import Event, Stay

Until = Callable[[datetime], datetime]


def by_person(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Each person's events; an event without an identifier is nobody's."""
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.person is not None:
            found.setdefault(event.person, []).append(event)
    return found


# Funnel


@dataclass(frozen=True)
class Progress:
    """How far one person got in the deciding attempt, when, and the event that began it."""

    times: tuple[datetime, ...]
    entry: Event
    is_closed: bool

    @property
    def reach(self) -> int:
        return len(self.times)


def funnel_progress(
    events: Iterable[Event],
    stages: Sequence[Sequence[str]],
    *,
    window_end: Until,
    as_of: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
) -> dict[str, Progress]:
    """Every entrant's furthest progress: each first event is tried, and from it every choice of later events."""
    found = {}
    for person, history in by_person(events).items():
        known = [event for event in history if event.occurred_at <= as_of]
        entries = [
            event
            for event in known
            if event.event_type in stages[0]
            and (start is None or start <= event.occurred_at)
            and (end is None or event.occurred_at < end)
        ]
        if not entries:
            continue
        attempts = [(_longest(known, stages, entry, window_end(entry.occurred_at)), entry) for entry in entries]
        times, entry = min(attempts, key=lambda one: (-len(one[0]), one[0], one[1].source, one[1].event_id))
        last = max(one.occurred_at for one in entries)
        found[person] = Progress(times, entry, is_closed=window_end(last) <= as_of)
    return found


def _longest(
    known: list[Event], stages: Sequence[Sequence[str]], entry: Event, until: datetime
) -> tuple[datetime, ...]:
    """The times of the longest chain from an entry, of several the one that is earliest at each stage in turn."""
    best: tuple[datetime, ...] = ()

    def extend(chain: list[Event]) -> None:
        nonlocal best
        times = tuple(event.occurred_at for event in chain)
        if not best or (-len(times), times) < (-len(best), best):
            best = times
        if len(chain) == len(stages):
            return
        for event in known:
            if (
                event.event_type in stages[len(chain)]
                and chain[-1].occurred_at <= event.occurred_at <= until
                and all(event is not used for used in chain)
            ):
                extend([*chain, event])

    extend([entry])
    return best


def percentile(values: Iterable[float], point: float) -> float | None:
    """The value at a share of the way through the sorted values, between two of them in proportion."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = point * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def funnel_numbers(progress: Iterable[Progress], depth: int) -> dict[str, object]:
    """The numbers of a funnel's answer from everybody's progress."""
    people = list(progress)
    counts = [sum(one.reach >= stage for one in people) for stage in range(1, depth + 1)]
    mature = [sum(one.reach >= stage and one.is_closed for one in people) for stage in range(1, depth + 1)]
    lost = [earlier - later for earlier, later in itertools.pairwise(counts)]
    since_first = [
        [(one.times[stage] - one.times[0]).total_seconds() for one in people if one.reach > stage]
        for stage in range(1, depth)
    ]
    since_previous = [
        [(one.times[stage] - one.times[stage - 1]).total_seconds() for one in people if one.reach > stage]
        for stage in range(1, depth)
    ]
    return {
        "counts": tuple(counts),
        "mature": tuple(mature),
        "immature": sum(not one.is_closed and one.reach < depth for one in people),
        "converted_early": sum(not one.is_closed and one.reach == depth for one in people),
        "dropoff_stage": lost.index(max(lost)) + 1 if people else None,
        "conversion_rate": counts[-1] / counts[0] if people else None,
        "median": [percentile(values, 0.5) for values in since_first],
        "p90": [percentile(values, 0.9) for values in since_first],
        "median_from_previous": [percentile(values, 0.5) for values in since_previous],
        "p90_from_previous": [percentile(values, 0.9) for values in since_previous],
    }


# Cohort and retention


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day of a time in a zone."""
    return moment.astimezone(zone).date()


def interval_start(day: date, interval: str) -> date:
    """The first day of the calendar day, week (from Monday) or month of a day."""
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def interval_after(first: date, interval: str, steps: int) -> date:
    """The first day of the interval some steps on."""
    if interval == "month":
        months = first.year * 12 + first.month - 1 + steps
        return date(months // 12, months % 12 + 1, 1)
    return first + timedelta(days=steps * (7 if interval == "week" else 1))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a calendar day in a zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


@dataclass(frozen=True)
class Member:
    """A person of a cohort: when it began for them, and when they were active since."""

    cohort: date
    started_at: datetime
    active_at: tuple[datetime, ...]


def cohort_members(
    events: Iterable[Event],
    *,
    is_start: Callable[[Event], bool],
    is_return: Callable[[Event], bool],
    interval: str,
    zone: ZoneInfo,
    as_of: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Member]:
    """Everybody whose first start event ever lies in the range, with their return events from then on."""
    members = []
    for history in by_person(events).values():
        known = [event for event in history if event.occurred_at <= as_of]
        starts = [event.occurred_at for event in known if is_start(event)]
        if not starts:
            continue
        first = min(starts)
        if (start is not None and first < start) or (end is not None and first >= end):
            continue
        active = tuple(event.occurred_at for event in known if is_return(event) and event.occurred_at >= first)
        members.append(Member(interval_start(local_day(first, zone), interval), first, active))
    return members


def period_bounds(member: Member, number: int, *, unit: str, period: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A member's period: the number-th calendar interval after that of the start, or so many times 24 h after it."""
    if period == "rolling":
        length = timedelta(days={"day": 1, "week": 7, "month": 30}[unit])
        return member.started_at + number * length, member.started_at + (number + 1) * length
    first = interval_start(local_day(member.started_at, zone), unit)
    return (
        midnight(interval_after(first, unit, number), zone),
        midnight(interval_after(first, unit, number + 1), zone),
    )


@dataclass(frozen=True)
class Cell:
    """How many members were active in a period, how many have lived it to its end, and of how many."""

    n: int
    mature: int
    size: int

    @property
    def complete(self) -> bool:
        return self.mature == self.size


def retention_cell(
    members: Sequence[Member], number: int, *, unit: str, period: str, kind: str, zone: ZoneInfo, as_of: datetime
) -> Cell:
    """One cell of one cohort."""
    n = mature = 0
    for member in members:
        first, end = period_bounds(member, number, unit=unit, period=period, zone=zone)
        if kind == "on":
            n += any(first <= moment < end for moment in member.active_at)
        elif kind == "on_or_after":
            n += any(first <= moment for moment in member.active_at)
        else:
            n += any(moment < end for moment in member.active_at)
        mature += end <= as_of
    return Cell(n, mature, len(members))


# Churn


@dataclass(frozen=True)
class Churn:
    """Who was active before and not since, and the two groups they are counted against."""

    churned: Mapping[str, tuple[int, datetime]]
    retained: frozenset[str]
    newly_active: frozenset[str]


def usage_churn(events: Iterable[Event], *, as_of: datetime, window_from: datetime, before_from: datetime) -> Churn:
    """Core actions in [before_from, window_from) and none in [window_from, as_of)."""
    churned, retained, newly = {}, set(), set()
    for person, history in by_person(events).items():
        core = [one.occurred_at for one in history if one.is_action and one.category == "core_value"]
        before = [moment for moment in core if before_from <= moment < window_from]
        during = [moment for moment in core if window_from <= moment < as_of]
        if before and not during:
            churned[person] = (len(before), max(before))
        elif before:
            retained.add(person)
        elif during:
            newly.add(person)
    return Churn(churned, frozenset(retained), frozenset(newly))


# Overlap


def members_at(stays: Iterable[Stay], segment_id: str, moment: datetime) -> set[str]:
    """Who is in a segment at a moment; a stay is [entered_at, exited_at)."""
    return {
        one.person
        for one in stays
        if one.segment_id == segment_id
        and one.entered_at <= moment
        and (one.exited_at is None or moment < one.exited_at)
    }
