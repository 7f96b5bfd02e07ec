"""Cohorts on two or three people, one behaviour each."""

from __future__ import annotations

import csv
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from analytics import cohort, get_cohort_analysis
from analytics.cohort_result import CohortResult
from analytics.spec import make_spec
from models.errors import UsageError
from tests.analytics.builders import Event, TinyWarehouse, event, journey, when

ONLINE_RETAIL = Path(__file__).parents[3] / "shared" / "data" / "online_retail"


def ask(events: list[Event], *, as_of: datetime | None = None, **options: Any) -> CohortResult:
    """The cohort table over events, as of the first of July."""
    warehouse = TinyWarehouse(events)
    try:
        return cohort.run(warehouse, make_spec(cohort.CohortSpec, as_of=as_of, **options))
    finally:
        warehouse.close()


def test_the_shape_the_requirements_ask_for() -> None:
    """Weeks of signup from Monday on, sizes, and a rate per metric."""
    events = [
        *journey("ada", signup_completed="d5", render=("d12", "d35")),
        *journey("bob", signup_completed="d6", render="d14"),
        *journey("cy", signup_completed="d13"),
    ]
    warehouse = TinyWarehouse(events)
    result = get_cohort_analysis(
        warehouse, group_by="signupDate", interval="week", metrics=["retention_d7", "retention_d30"]
    )
    found = [{name: row[name] for name in list(row)[:4]} for row in result.to_json()["cohorts"]]
    assert found == [
        {"cohort": "2026-01-05", "size": 2, "retention_d7": 0.5, "retention_d30": 0.5},
        {"cohort": "2026-01-12", "size": 1, "retention_d7": 0.0, "retention_d30": 0.0},
    ]
    assert result.to_json()["overall"]["retention_d7"] == 1 / 3


def test_cells_count_intervals_of_the_cohort_and_metrics_days_of_the_member() -> None:
    """Signed up on a Sunday and back on Monday: week 1 for the cohort, day 1 for the member."""
    result = ask(journey("ada", signup_completed="d10", render="d11"), interval="week", metrics=("retention_d1",))
    (row,) = result.cohorts
    assert [cell.n for cell in row.cells[:3]] == [1, 1, 0]
    assert row.metrics["retention_d1"].n == 1


def test_a_cell_is_null_until_every_member_has_lived_its_period() -> None:
    """Eight days in, week 1 of January 5 is not over: its count stands, its rate does not."""
    events = journey("ada", signup_completed="d4", render="d12")
    result = ask(events, interval="week", metrics=("retention_d7", "retention_d8"), as_of=when("d12 12:00"))
    (row,) = result.cohorts
    assert [(cell.period, cell.n, cell.rate, cell.complete, cell.mature) for cell in row.cells] == [
        (0, 1, 1.0, True, 1),
        (1, 1, None, False, 0),
    ]
    assert (row.cells[1].low, row.cells[1].high) == (None, None)
    assert [row.metrics[name].rate for name in ("retention_d7", "retention_d8")] == [0.0, None]


def test_maturity_is_each_members_own_in_rolling_periods() -> None:
    """Of two members of one week, one has lived 24 h × 2 and the other has not."""
    events = [
        *journey("ada", signup_completed="d4", render="d5 01:00"),
        *journey("bob", signup_completed="d5", render="d6 01:00"),
    ]
    result = ask(events, interval="week", period="rolling", metrics=("retention_d1",), as_of=when("d6 12:00"))
    cell = result.cohorts[0].metrics["retention_d1"]
    assert (cell.n, cell.mature, cell.rate, cell.complete) == (2, 1, None, False)
    assert result.overall.metrics["retention_d1"].rate is None


def test_rolling_days_are_24_hours_and_calendar_days_are_dates() -> None:
    """Two hours across midnight are day 1 of the calendar and day 0 of the clock."""
    events = journey("ada", signup_completed="d4 23:00", render="d5 01:00")
    on = {
        period: ask(events, interval="day", period=period, metrics=("retention_d0", "retention_d1")).cohorts[0].metrics
        for period in ("calendar", "rolling")
    }
    assert [on["calendar"][name].n for name in ("retention_d0", "retention_d1")] == [1, 1]
    assert [on["rolling"][name].n for name in ("retention_d0", "retention_d1")] == [1, 0]


def test_a_day_of_the_zone_may_have_23_hours() -> None:
    """In Berlin the night of 29 March 2026 has no 02:30: what follows is still one calendar day later."""
    start = datetime(2026, 3, 28, 22, 30, tzinfo=timezone.utc)  # 23:30 in Berlin
    back = datetime(2026, 3, 29, 22, 30, tzinfo=timezone.utc)  # 00:30 two days later
    events = [event("ada", "signup_completed", start), event("ada", "render", back)]
    berlin = ask(events, interval="day", metrics=("retention_d1", "retention_d2"), tz="Europe/Berlin").cohorts[0]
    assert berlin.cohort == date(2026, 3, 28)
    assert [cell.n for cell in berlin.metrics.values()] == [0, 1]
    utc = ask(events, interval="day", metrics=("retention_d1", "retention_d2")).cohorts[0]
    assert [cell.n for cell in utc.metrics.values()] == [1, 0]


@pytest.mark.parametrize(
    ("kind", "expected"), [("on", [1, 0, 1, 0]), ("on_or_after", [1, 1, 1, 0]), ("on_or_before", [1, 1, 1, 1])]
)
def test_kinds(kind: str, expected: list[int]) -> None:
    """Active in week 0 and week 2: on, on or after, on or before each week."""
    events = journey("ada", signup_completed="d5", render="d20")
    result = ask(events, interval="week", kind=kind, periods=3, metrics=())
    assert [cell.n for cell in result.cohorts[0].cells] == expected


def test_what_came_before_the_start_is_no_return() -> None:
    """A visitor's actions before signing up say nothing about retention."""
    events = journey("ada", signup_completed="d9", render=("d8", "d20"))
    assert [cell.n for cell in ask(events, interval="day", periods=2, metrics=()).cohorts[0].cells] == [1, 0, 0]


def test_only_actions_count_unless_a_return_event_is_named() -> None:
    """A page view that is no action brings nobody back, until it is asked for."""
    events = [*journey("ada", signup_completed="d4"), event("ada", "view", "d5", is_action=False)]
    assert ask(events, interval="day", metrics=("retention_d1",)).cohorts[0].metrics["retention_d1"].n == 0
    named = ask(events, interval="day", metrics=("retention_d1",), return_event="view|signup_completed")
    assert named.cohorts[0].metrics["retention_d1"].n == 1


def test_the_start_is_the_first_ever_and_the_range_selects_by_it() -> None:
    """Ada began in January; a range in February does not make her begin again."""
    events = [*journey("ada", buy=("d5", "d40")), *journey("bob", buy="d41")]
    result = ask(events, start_event="buy", return_event="buy", interval="month", start=when("d31"), end=when("d59"))
    assert [(row.cohort, row.size) for row in result.cohorts] == [(date(2026, 2, 1), 1)]


def test_first_event_is_any_event() -> None:
    """A person can begin with an event that is no action."""
    events = [event("ada", "view", "d0", is_action=False), *journey("ada", signup_completed="d40")]
    assert [row.cohort for row in ask(events, by="first_event", interval="month").cohorts] == [date(2026, 1, 1)]


def test_the_overall_row_has_only_cohorts_that_reached_the_period() -> None:
    """February is young: its zero does not pull month 1 down, above or below the line."""
    events = [
        *journey("ada", signup_completed="d5", render="d35"),
        *journey("bob", signup_completed="d6"),
        *journey("cy", signup_completed="d40"),
    ]
    result = ask(events, interval="month", metrics=(), as_of=when("d60"))
    month_1 = result.overall.cells[1]
    assert (month_1.n, month_1.size, month_1.cohorts, month_1.rate, month_1.mean) == (1, 2, 1, 0.5, 0.5)
    assert result.overall.size == 3
    assert result.overall.cells[2].rate is None


def test_an_interval_comes_with_every_rate() -> None:
    """Wilson's interval of 1 in 2, to four digits as in his tables."""
    events = [*journey("ada", signup_completed="d4", render="d5"), *journey("bob", signup_completed="d4")]
    cell = ask(events, interval="day", metrics=("retention_d1",)).cohorts[0].metrics["retention_d1"]
    assert (round(cell.low or 0, 4), round(cell.high or 0, 4)) == (0.0945, 0.9055)


def test_nobody_began_in_the_range() -> None:
    """An empty answer has no cohorts and still all its keys."""
    result = ask(journey("ada", signup_completed="d5"), start=when("d60"), end=when("d90"))
    assert result.cohorts == ()
    assert result.to_json()["overall"]["retention_d7"] is None
    result.table()


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"by": "channel"}, "'signup' or 'first_event'"),
        ({"interval": "year"}, "'day', 'week' or 'month'"),
        ({"metrics": ["retention_7"]}, "unknown metric 'retention_7' (did you mean 'retention_d7'"),
        ({"metrics": ["retention_d07"]}, "unknown metric 'retention_d07'"),
        ({"metrics": ["retention_d99999"]}, "unknown metric"),
        ({"metrics": ["cac"]}, "unknown metric 'cac'"),
        ({"metrics": [f"retention_d{n}" for n in range(21)]}, "at most 20 metrics"),
        ({"kind": "after"}, "'on', 'on_or_after' or 'on_or_before'"),
        ({"period": "lunar"}, "'calendar' or 'rolling'"),
        ({"periods": -1}, "give 0 or more"),
        ({"periods": 10**9}, "give 366 or less"),
        (
            {"start_event": "signup_complete"},
            "unknown start event 'signup_complete' (did you mean 'signup_completed'?)",
        ),
        ({"return_event": "rendr"}, "unknown return event 'rendr' (did you mean 'render'?)"),
        ({"by": "first_event", "start_event": "render"}, "leave --by out"),
        ({"tz": "Mars/Olympus"}, "not an IANA time zone"),
    ],
)
def test_a_question_that_cannot_be_asked(question: dict[str, Any], message: str) -> None:
    """One line that says what was given and what would be accepted."""
    with pytest.raises(UsageError) as error:
        ask(journey("ada", signup_completed="d0", render="d1"), **question)
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.skipif(not ONLINE_RETAIL.is_dir(), reason="the public data set is not here")
def test_a_real_shops_known_cohorts() -> None:
    """All 91 published cells: customers by the month of their first purchase, active so many months later."""
    warehouse = TinyWarehouse(as_of=datetime(2026, 1, 1, tzinfo=timezone.utc))
    warehouse.connection.execute(
        "insert into event select 'custom', invoice_no || '-' || row_number() over (), 'purchase', 'core_value', true,"
        " invoice_at at time zone 'UTC', cast(customer_id as bigint), null, '{}'"
        f" from '{ONLINE_RETAIL / 'online_retail.parquet'}'"
        " where customer_id is not null and invoice_no not like 'C%'"
    )
    spec = make_spec(
        cohort.CohortSpec, start_event="purchase", return_event="purchase", interval="month", metrics=("retention_d30",)
    )
    result = cohort.run(warehouse, spec)
    found = {
        (row.cohort.strftime("%Y-%m-%d"), cell.period): cell.n for row in result.cohorts for cell in row.cells if cell.n
    }
    with (ONLINE_RETAIL / "cohort_counts.csv").open(newline="") as lines:
        known = {
            (row["cohort_month"], int(row["month_index"])): int(row["active_customers"])
            for row in csv.DictReader(lines)
        }
    assert len(known) == 91
    assert found == known
