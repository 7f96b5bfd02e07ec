"""The cohort table equals its oracle on random histories, across changes of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import cohort
from analytics.spec import make_spec
from tests.analytics.builders import TinyWarehouse, event
from tests.analytics.oracles import Cell, Member, cohort_members, retention_cell

#: A zone, and a moment shortly before its clocks do something unusual.
CLOCKS = (
    ("UTC", datetime(2026, 1, 30, tzinfo=timezone.utc)),
    ("Europe/Berlin", datetime(2026, 3, 27, tzinfo=timezone.utc)),
    ("America/New_York", datetime(2025, 10, 31, tzinfo=timezone.utc)),
    ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=timezone.utc)),
    ("Asia/Kathmandu", datetime(2025, 12, 30, tzinfo=timezone.utc)),
    ("Africa/Cairo", datetime(2025, 4, 23, tzinfo=timezone.utc)),  # midnight does not exist on the 25th
    ("America/Asuncion", datetime(2024, 3, 22, tzinfo=timezone.utc)),  # midnight comes twice on the 24th
    ("Pacific/Apia", datetime(2011, 12, 28, tzinfo=timezone.utc)),  # there was no 30 December
)
DAYS = (0, 1, 2, 7)
#: Often within the days around the change, sometimes weeks later.
hours = st.integers(0, 24 * 4) | st.integers(0, 24 * 24)


@given(
    clock=st.sampled_from(CLOCKS),
    rows=st.lists(st.tuples(st.integers(0, 2), st.sampled_from("sra"), hours), min_size=3, max_size=30),
    interval=st.sampled_from(["day", "week", "month"]),
    kind=st.sampled_from(["on", "on_or_after", "on_or_before"]),
    period=st.sampled_from(["calendar", "rolling"]),
    start=st.sampled_from(["s", None]),
    back=st.sampled_from(["r", "r|s", None]),
    as_of=st.integers(0, 24 * 40),
    range_from=st.none() | st.integers(0, 24 * 10),
)
@settings(max_examples=80)
def test_cohort_equals_its_oracle(
    clock: tuple[str, datetime],
    rows: list[tuple[int, str, int]],
    interval: str,
    kind: str,
    period: str,
    start: str | None,
    back: str | None,
    as_of: int,
    range_from: int | None,
) -> None:
    """Sizes, counts, maturity, completeness, and the sums over complete cohorts."""
    name, begin = clock
    zone, now = ZoneInfo(name), begin + timedelta(hours=as_of)
    events = [
        event(f"p{person}", kind_of, begin + timedelta(hours=hour), is_action=kind_of == "a")
        for person, kind_of, hour in rows
    ]
    # The names have to exist for the report to take them; nobody did them.
    events += [event(None, kind_of, begin, is_action=False) for kind_of in "sra"]
    bounds = {"start": None if range_from is None else min(begin + timedelta(hours=range_from), now)}

    warehouse = TinyWarehouse(events, as_of=now)
    spec = make_spec(
        cohort.CohortSpec,
        by=None if start else "first_event",
        start_event=start,
        return_event=back,
        interval=interval,
        kind=kind,
        period=period,
        periods=4,
        metrics=tuple(f"retention_d{day}" for day in DAYS),
        tz=name,
        **bounds,
    )
    result = cohort.run(warehouse, spec)
    warehouse.close()

    members = cohort_members(
        events,
        is_start=lambda one: start is None or one.event_type == start,
        is_return=lambda one: one.is_action if back is None else one.event_type in back.split("|"),
        interval=interval,
        zone=zone,
        as_of=now,
        start=bounds["start"],
    )
    groups: dict[Any, list[Member]] = {}
    for member in members:
        groups.setdefault(member.cohort, []).append(member)
    assert [(row.cohort, row.size) for row in result.cohorts] == [(day, len(groups[day])) for day in sorted(groups)]

    def expected(found: list[Member], number: int, unit: str) -> Cell:
        return retention_cell(found, number, unit=unit, period=period, kind=kind, zone=zone, as_of=now)

    for row in result.cohorts:
        found = groups[row.cohort]
        for cell in row.cells:
            assert Cell(cell.n, cell.mature, row.size) == expected(found, cell.period, interval)
        for day, cell in zip(DAYS, row.metrics.values(), strict=True):
            assert Cell(cell.n, cell.mature, row.size) == expected(found, day, "day")
        for cell in (*row.cells, *row.metrics.values()):
            assert cell.complete == (cell.mature == row.size)
            assert cell.rate == (cell.n / row.size if cell.complete else None)
    for number, total in enumerate(result.overall.cells):
        whole = [expected(found, number, interval) for found in groups.values()]
        complete = [cell for cell in whole if cell.complete]
        assert (total.n, total.size) == (sum(cell.n for cell in complete), sum(cell.size for cell in complete))
