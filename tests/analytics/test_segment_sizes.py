"""How large a segment was, against counting its stays moment by moment."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.interval import Interval, first_day, number_of
from analytics.segment_sizes import SizeRow, SizesSpec, run
from analytics.spec import make_spec
from models.errors import UsageError
from tests.analytics.builders import Stay, TinyWarehouse, stay, when

STAYS = (
    stay("power", "ada", "d0", "d3"),
    stay("power", "ada", "d40", None),
    stay("power", "bob", "d3", "d200"),
    stay("other", "bob", "d1", "d2"),
)


def sizes(stays: tuple[Stay, ...] = STAYS, as_of: str = "d60", **options: object) -> list[SizeRow]:
    with TinyWarehouse(stays=stays, as_of=as_of, segments=("power", "empty")) as warehouse:
        return list(run(warehouse, make_spec(SizesSpec, segment_id=options.pop("segment_id", "power"), **options)).rows)


def row(day: str, start: int, entered: int, left: int, size: int) -> SizeRow:
    return SizeRow(interval_start=date.fromisoformat(day), start=start, entered=entered, left=left, size=size)


def test_a_row_says_what_moved_the_size() -> None:
    """From the first stay to now; an exit that lies ahead has not happened."""
    assert sizes() == [row("2026-01-01", 0, 2, 1, 1), row("2026-02-01", 1, 1, 0, 2), row("2026-03-01", 2, 0, 0, 2)]


def test_a_range_begins_with_the_size_it_finds() -> None:
    """And ends before its end."""
    assert sizes(start=when("d3"), end=when("d40"), interval="month") == [
        row("2026-01-01", 1, 1, 1, 1),
        row("2026-02-01", 1, 0, 0, 1),
    ]


def test_what_happens_at_now_counts() -> None:
    """As for membership: who enters at that moment is in."""
    assert sizes(as_of="d0", interval="day") == [row("2026-01-01", 0, 1, 0, 1)]
    assert sizes(as_of="d3", interval="day")[-1] == row("2026-01-04", 1, 1, 1, 1)
    assert [one.interval_start.day for one in sizes(as_of="d2", interval="day")] == [1, 2]


def test_a_segment_that_nobody_was_in_has_no_rows() -> None:
    """It is known all the same; another name is not."""
    assert sizes(segment_id="empty") == []
    with pytest.raises(UsageError, match="unknown segment 'powers'"):
        sizes(segment_id="powers")


@given(
    interval=st.sampled_from(["day", "week", "month"]),
    tz=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]),
    spans=st.lists(
        st.tuples(st.integers(0, 100 * 24), st.none() | st.integers(1, 60 * 24)), min_size=1, max_size=6, unique=True
    ),
)
def test_sizes_are_those_of_counting(interval: Interval, tz: str, spans: list[tuple[int, int | None]]) -> None:
    """At the end of every interval, across the changes of the clock in spring."""
    begin = datetime(2026, 2, 1, tzinfo=timezone.utc)
    stays = tuple(
        stay(
            "power",
            f"p{number}",
            begin + timedelta(hours=since),
            None if hours is None else begin + timedelta(hours=since + hours),
        )
        for number, (since, hours) in enumerate(spans)
    )
    rows = sizes(stays, as_of="d200", interval=interval, tz=tz)
    for one in rows:
        end = datetime.combine(
            first_day(number_of(one.interval_start, interval) + 1, interval), datetime.min.time(), ZoneInfo(tz)
        )
        assert one.start + one.entered - one.left == one.size
        if end <= when("d200"):
            assert one.size == sum(
                each.entered_at < end and (each.exited_at is None or each.exited_at >= end) for each in stays
            )
    assert rows[0].start == 0
    assert sum(one.entered for one in rows) == len(stays)
