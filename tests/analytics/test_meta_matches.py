"""Pixel and server copies of Meta events, counted."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import get_meta_matches
from analytics.meta_matches import Matches, MatchesResult, NamedMatches
from cli.screen import render_sheet
from tests.analytics.builders import DAY_0, Asked, when

AS_OF = when("d30")
TABLES = """
    create table meta_copy (
        event_type varchar, counted_event_id varchar, channel varchar, occurred_at timestamptz,
        arrived_at timestamptz, is_counted boolean
    );
    create table event (
        source varchar, source_id varchar, event_type varchar, occurred_at timestamptz, metadata varchar
    )
"""


@dataclass(frozen=True)
class Copy:
    """One copy of a match; without a match it has no id."""

    match: int | None
    channel: str
    seconds: int
    event_type: str = "purchase"
    is_counted: bool = False

    @property
    def arrived_at(self) -> datetime:
        return DAY_0 + timedelta(seconds=self.seconds)


class Copies(Asked):
    """An open warehouse with these copies of Meta events."""

    as_of = AS_OF

    def __init__(self, copies: Iterable[Copy]) -> None:
        self.connection = duckdb.connect(config={"threads": "1"})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(TABLES)
        for copy in copies:
            if copy.match is None:
                row = ("meta_pixel", None, copy.event_type, copy.arrived_at, f'{{"channel":"{copy.channel}"}}')
                self.connection.execute("insert into event values (?, ?, ?, ?, ?)", row)
            else:
                times = (copy.arrived_at, copy.arrived_at, copy.is_counted)
                name = f"{copy.event_type}-{copy.match}"
                self.connection.execute(
                    "insert into meta_copy values (?, ?, ?, ?, ?, ?)", (copy.event_type, name, copy.channel, *times)
                )


COPIES = [
    Copy(1, "pixel", 0, is_counted=True),
    Copy(1, "server", 10),
    Copy(1, "server", 500),
    Copy(2, "server", 100, is_counted=True),
    Copy(2, "pixel", 96),
    Copy(3, "pixel", 200, is_counted=True),
    Copy(4, "server", 300, is_counted=True),
    Copy(None, "server", 400),
    Copy(5, "pixel", 86_400, "lead", is_counted=True),
    Copy(6, "pixel", 31 * 86_400, is_counted=True),
]
PURCHASE = {
    "pixel": 3,
    "server": 4,
    "matched": 2,
    "pixelOnly": pytest.approx(1 / 3),
    "serverOnly": 0.5,
    "withoutId": 1,
    "medianDelaySeconds": 7.0,
}


def test_events_are_counted_by_who_sent_them() -> None:
    """Of a match the first copy of each channel counts; what has no id matches nothing; what is after now is not in."""
    lead = {"pixel": 1, "server": 0, "matched": 0, "pixelOnly": 1.0, "serverOnly": None, "withoutId": 0}
    result = get_meta_matches(Copies(COPIES))
    assert result.to_json() == {
        "events": [
            {**PURCHASE, "eventType": "purchase"},
            {**lead, "medianDelaySeconds": None, "eventType": "lead"},
        ],
        "total": {**PURCHASE, "pixel": 4, "pixelOnly": 0.5},
        "asOf": "2026-01-31T00:00:00Z",
        "from": None,
        "to": None,
    }
    assert [row[0] for row in result.table().tables[0].rows] == ["purchase", "lead", "all"]
    assert len(result.records().rows) == 2


def test_an_event_of_a_long_name_and_many_copies_fits_the_terminal() -> None:
    """No column is left out at 80 columns."""
    count = {"pixel": 250_000, "server": 240_000, "matched": 230_000, "without_id": 1_000, "median_delay_seconds": 90.0}
    some = {**count, "pixel_only": 0.08, "server_only": 0.04}
    name = NamedMatches.model_validate({**some, "event_type": "completeregistration"})
    result = MatchesResult(events=(name,), total=Matches.model_validate(some), as_of=AS_OF, start=None, end=None)
    shown = render_sheet(result.table(), 80).splitlines()
    assert shown[-1].split()[-2:] == ["1m", "30s"]
    assert max(map(len, shown)) <= 80


def test_the_range_selects_by_the_copy_that_counts() -> None:
    """Half-open: its first moment is in, its end is not."""
    second = timedelta(seconds=1)
    copies = Copies(COPIES)
    one = get_meta_matches(copies, start=DAY_0 + 100 * second, end=DAY_0 + 200 * second)
    assert (one.total.pixel, one.total.server, one.total.matched) == (1, 1, 1)
    none = get_meta_matches(copies, start=DAY_0 + 201 * second, end=DAY_0 + 202 * second)
    assert (none.events, none.total.pixel, none.total.pixel_only) == ((), 0, None)
    assert none.table().tables == ()


_COPIES = st.lists(
    st.builds(
        Copy,
        match=st.one_of(st.none(), st.integers(1, 4)),
        channel=st.sampled_from(["pixel", "server"]),
        seconds=st.integers(0, 1000),
        event_type=st.sampled_from(["purchase", "lead"]),
    ),
    max_size=15,
)


@given(copies=_COPIES)
@settings(max_examples=30)
def test_it_counts_as_plain_python_does(copies: list[Copy]) -> None:
    """Random copies; the first of each match counts."""
    matches: dict[Any, list[Copy]] = defaultdict(list)
    for number, copy in enumerate(sorted(copies, key=lambda copy: copy.seconds)):
        matches[copy.event_type, number if copy.match is None else f"m{copy.match}"].append(copy)
    first = {id(match[0]) for match in matches.values()}
    counted = [Copy(*(copy.match, copy.channel, copy.seconds, copy.event_type, id(copy) in first)) for copy in copies]
    result = get_meta_matches(Copies(counted))
    for event_type in ("purchase", "lead"):
        found = [match for (name, _), match in matches.items() if name == event_type]
        firsts = [{copy.channel: copy.seconds for copy in reversed(match)} for match in found]
        delays = [sent["server"] - sent["pixel"] for sent in firsts if len(sent) == 2]
        told = [event for event in result.events if event.event_type == event_type]
        assert len(told) == bool(found)
        for event in told:
            assert (event.pixel, event.server) == tuple(
                sum(channel in sent for sent in firsts) for channel in ("pixel", "server")
            )
            assert event.matched == len(delays)
            assert event.median_delay_seconds == (statistics.median(delays) if delays else None)
