"""Trials counted by the interval in which they began, against counting the rows of the built sample."""

from __future__ import annotations

from collections import Counter
from statistics import median
from zoneinfo import ZoneInfo

import pytest

from analytics import get_trials
from analytics.trials import OUTCOMES
from models.errors import UsageError
from tests.pipeline.projects import Studio
from warehouse.reader import open_warehouse


@pytest.mark.parametrize(("tz", "by"), [("UTC", None), ("America/New_York", "plan"), ("UTC", "country")])
def test_rows_are_those_of_counting(sample: Studio, tz: str, by: str | None) -> None:
    """Each month and part; the parts add up to the whole."""
    column = {"plan": "plan_name", "country": "json_extract_string(person.metadata, '$.country')"}.get(by or "", "null")
    with open_warehouse(sample.home) as warehouse:
        rows = warehouse.rows(
            f"select started_at, {column}, outcome, converted_at - started_at"
            " from subscription_trial left join person using (person_key) where livemode"
        )
        found = get_trials(warehouse, tz=tz, by=by)
    counted = Counter(
        (begin.astimezone(ZoneInfo(tz)).date().replace(day=1), part, outcome) for begin, part, outcome, _ in rows
    )
    assert len(rows) > 20
    assert {
        (row.interval_start, row.part, name): getattr(row, name)
        for row in found.rows
        for name in OUTCOMES
        if getattr(row, name)
    } == counted
    assert found.total is not None
    assert found.total.trials == sum(row.trials for row in found.rows) == len(rows)
    ended = [outcome for _, _, outcome, _ in rows if outcome != "running"]
    assert found.total.rate == ended.count("converted") / len(ended)
    assert found.total.days_to_convert == pytest.approx(
        median(span.total_seconds() / 86_400 for _, _, _, span in rows if span is not None)
    )


def test_a_range_takes_trials_by_their_begin(sample: Studio) -> None:
    """Half-open; where none began, there is nothing to say."""
    whole, first, last = (
        sample.ok("trials", "--interval", "day", "--format", "json", *options).json
        for options in ((), ("--to", "2026-04-01"), ("--from", "2026-04-01"))
    )
    assert [*first["rows"], *last["rows"]] == whole["rows"]
    none = sample.ok("trials", "--to", "2020-01-01", "--format", "json").json
    assert (none["rows"], none["total"]) == ([], None)


def test_what_a_person_reads(sample: Studio) -> None:
    """The rate in words, and a row for each month."""
    shown = sample.ok("trials").out.splitlines()
    assert shown[:2] == ["Trials", "By the month in which they began, as of 2026-07-01 00:00 UTC; live mode."]
    assert "converted of" in shown[2]
    assert sample.gdp("trials", "--tz", "Mars").err.startswith("gdp: 'Mars' is not an IANA time zone")
    with open_warehouse(sample.home) as warehouse, pytest.raises(UsageError, match="by: "):
        get_trials(warehouse, by="planet")
