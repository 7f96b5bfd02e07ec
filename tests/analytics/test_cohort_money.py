"""What the members of cohorts brought and are worth, against plain sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import get_cohort_analysis
from analytics.money import rounded
from models.errors import GdpError
from tests.analytics.builders import TinyWarehouse, event, key

BEGIN = datetime(2026, 1, 5, tzinfo=timezone.utc)
NAMES = ("ada", "bob", "cleo", "dan")
TABLES = """
    create table revenue (
        person_key bigint, occurred_at timestamptz, currency varchar, reporting_amount decimal(38, 15),
        uncounted_because varchar, unreported_because varchar, livemode boolean, is_revenue boolean
    );
    create table mrr_movement (
        person_key bigint, day date, arr decimal(38, 15), currency varchar, livemode boolean default true,
        policy varchar default 'gdp'
    );
    create table mrr_unknown (person_key bigint, livemode boolean default true, policy varchar default 'gdp');
    create table revenue_policy as select 'gdp' as policy, true as is_default;
    create table fx_rate as select * from (
        values ('usd', 'usd', 1::decimal(20, 12), date '0001-01-01', null::date),
        ('eur', 'usd', 1.1, date '2026-01-10', date '2026-01-20'), ('eur', 'usd', 1.25, date '2026-01-20', null)
    ) as rates(currency, reporting_currency, rate, valid_from, valid_to)
"""
#: Person, day, amount (None: it cannot be counted).
Line = tuple[str, int, Decimal | None]
#: Person, day, what moved, currency.
Moved = tuple[str, int, Decimal, str]


def books(signups: dict[str, int], lines: Iterable[Line], moved: Iterable[Moved], as_of: datetime) -> TinyWarehouse:
    """Persons who signed up on a day, with their money."""
    warehouse = TinyWarehouse(
        [event(name, "signup_completed", BEGIN + timedelta(days=day)) for name, day in signups.items()], as_of=as_of
    )
    for statement in TABLES.split(";"):
        warehouse.connection.execute(statement)
    for name, day, amount in lines:
        warehouse.connection.execute(
            "insert into revenue values (?, ?, 'usd', ?, ?, null, true, true)",
            [key(name), BEGIN + timedelta(days=day), amount, None if amount is not None else "payment not told"],
        )
    for name, day, arr, currency in moved:
        warehouse.connection.execute(
            "insert into mrr_movement (person_key, day, arr, currency) values (?, ?, ?, ?)",
            [key(name), (BEGIN + timedelta(days=day)).date(), arr, currency],
        )
    return warehouse


def measured(result: Any, metric: str) -> dict[date | None, tuple[str, str, int, int]]:
    found = {row.cohort: row.metrics[metric] for row in result.cohorts} | {None: result.overall.metrics[metric]}
    return {cohort: (str(one.total), str(one.per_member), one.payers, one.unknown) for cohort, one in found.items()}


def test_members_bring_what_was_paid_by_now() -> None:
    """Per member of the cohort, payers or not; what cannot be counted is said, and is not in it."""
    lines: list[Line] = [("ada", 1, Decimal(30)), ("ada", 5, Decimal(-9)), ("cleo", 8, Decimal(10)), ("dan", 9, None)]
    lines.append(("bob", 90, Decimal(1000)))
    with books({"ada": 0, "bob": 1, "cleo": 8, "dan": 9}, lines, [], BEGIN + timedelta(days=20)) as warehouse:
        result = get_cohort_analysis(warehouse, metrics=["retention_d1", "ltv"])
    first, second = BEGIN.date(), BEGIN.date() + timedelta(days=7)
    assert measured(result, "ltv") == {
        first: ("21.00", "10.50", 1, 0),
        second: ("10.00", "5.00", 1, 1),
        None: ("31.00", "7.75", 2, 1),
    }
    found = result.to_json()
    assert (found["currency"], found["cohorts"][0]["ltv"], found["overall"]["ltv"]) == ("usd", "10.50", "7.75")
    assert found["cohorts"][0]["metrics"]["ltv"] == {"total": "21.00", "perMember": "10.50", "payers": 1, "unknown": 0}
    sheet = result.table()
    assert "ltv: revenue to date per member; in usd; not known of 1 members in ltv." in sheet.lines
    assert [row[3] for row in sheet.tables[0].rows] == [10.5, 5, 7.75]
    ltv = [row for row in result.records().rows if row[1] == "ltv"]
    assert [(row[0], row[3], row[4], *row[-2:]) for row in ltv] == [
        (first, 2, 1, 21, 10.5),
        (second, 2, 1, 10, 5),
        (None, 4, 2, 31, 7.75),
    ]


def test_arr_is_that_of_now_at_the_rate_of_now() -> None:
    """What moved later is not in it; each currency counts at the rate that holds now."""
    moved: list[Moved] = [
        ("ada", 1, Decimal(120), "usd"),
        ("ada", 4, Decimal(100), "eur"),
        ("bob", 2, Decimal(60), "usd"),
        ("bob", 6, Decimal(-60), "usd"),
        ("ada", 30, Decimal(1200), "usd"),
    ]
    for days, expected in ((10, "230.00"), (20, "245.00")):
        with books({"ada": 0, "bob": 1}, [], moved, BEGIN + timedelta(days=days)) as warehouse:
            found = measured(get_cohort_analysis(warehouse, metrics=["arr"]), "arr")
        half = str(rounded(Decimal(expected) / 2, "usd"))
        assert found == {BEGIN.date(): (expected, half, 1, 0), None: (expected, half, 1, 0)}


def test_a_currency_without_a_rate_is_named() -> None:
    """Never 0."""
    moved: list[Moved] = [("ada", 1, Decimal(120), "jpy")]
    with (
        books({"ada": 0}, [], moved, BEGIN + timedelta(days=10)) as warehouse,
        pytest.raises(GdpError, match="arr is in usd, and there is no rate for all amounts in jpy"),
    ):
        get_cohort_analysis(warehouse, metrics=["arr"])


cents = st.decimals(Decimal(-1000), Decimal(1000), places=2)


@settings(max_examples=40)
@given(
    signups=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 20), min_size=1),
    lines=st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 40), cents), max_size=12),
    moved=st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(0, 40), cents, st.sampled_from(("usd", "eur"))), max_size=12
    ),
    as_of=st.integers(20, 40),
)
def test_both_equal_their_oracle(signups: dict[str, int], lines: list[Line], moved: list[Moved], as_of: int) -> None:
    """Sums over the members of each cohort and over all, divided by all of them, rounded once."""
    now = BEGIN + timedelta(days=as_of)
    with books(signups, lines, moved, now) as warehouse:
        result = get_cohort_analysis(warehouse, metrics=["ltv", "arr"])
    rate = {"usd": Decimal(1), "eur": Decimal("1.25") if as_of >= 15 else Decimal("1.1")}
    worth = {
        "ltv": [(who, amount or Decimal(0)) for who, day, amount in lines if day <= as_of],
        "arr": [(who, amount * rate[currency]) for who, day, amount, currency in moved if day < as_of],
    }
    for metric, amounts in worth.items():
        of_person: dict[str, Decimal] = defaultdict(Decimal)
        for who, amount in amounts:
            of_person[who] += amount
        members: dict[date | None, list[str]] = defaultdict(list)
        for name, day in signups.items():
            members[BEGIN.date() + timedelta(days=day // 7 * 7)].append(name)
            members[None].append(name)
        expected = {}
        for cohort, names in members.items():
            total = sum((of_person[name] for name in names), Decimal(0))
            payers = sum(of_person[name] != 0 for name in names)
            each = rounded(total / len(names), "usd")
            expected[cohort] = (str(rounded(total, "usd")), str(each), payers, 0)
        assert measured(result, metric) == expected
