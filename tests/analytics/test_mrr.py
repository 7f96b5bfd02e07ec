"""Recurring revenue, interval by interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import get_mrr
from analytics.mrr import MOVEMENTS, MrrSpec, monthly, prepare, query
from analytics.mrr_reporting import Rates, reported
from models.errors import GdpError, UsageError
from tests.analytics.builders import Asked
from tests.pipeline.projects import Studio
from warehouse.reader import open_warehouse

TABLES = """
    create table revenue_policy as
        from (values ('gdp', true), ('stripe', false)) as shipped(policy, is_default);
    create table mrr_movement (
        day date, movement varchar, arr decimal(38, 15), currency varchar default 'usd',
        plan_name varchar default 'Pro',
        product_id varchar default 'prod_1', account varchar default '', livemode boolean default true,
        policy varchar default 'gdp', person_key bigint
    );
    create table person_property (
        person_key bigint, property varchar, value varchar, valid_from timestamptz, valid_to timestamptz
    );
    create table fx_rate as from (values
        ('usd', 'usd', date '0001-01-01', 1.0::decimal(20, 12)), ('eur', 'usd', date '2026-01-10', 1.1),
        ('eur', 'usd', date '2026-02-10', 1.2), ('eur', 'usd', date '2026-05-09', 1.3),
        ('eur', 'usd', date '2026-07-01', 9.0)
    ) as rate(currency, reporting_currency, valid_from, rate);
    create table mrr_unknown (reason varchar, policy varchar default 'gdp', livemode boolean default true)
"""
#: Day, movement, yearly amount.
MOVED = [
    ("2026-01-05", "new", 120),
    ("2026-01-20", "expansion", 1),
    ("2026-03-02", "contraction", -61),
    ("2026-03-31", "churn", -60),
    ("2026-05-01", "reactivation", 600),
]


class Ledger(Asked):
    """An open warehouse with these movements; more are given as SQL values with the columns in order."""

    as_of = datetime(2026, 5, 10, 12, tzinfo=timezone.utc)

    def __init__(self, *more: str) -> None:
        self.connection = duckdb.connect(config={"threads": "1"})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(TABLES)
        self.connection.executemany("insert into mrr_movement (day, movement, arr) values (?, ?, ?)", MOVED)
        for values in more:
            columns = "day, movement, arr, currency, plan_name, product_id, account, livemode, policy"
            self.connection.execute(f"insert into mrr_movement ({columns}) values {values}")


def waterfall(result: Any) -> list[tuple[Any, ...]]:
    """Interval, start, movements, end."""
    names = ("interval_start", "start", "new", "reactivation", "expansion", "contraction", "churn", "end")
    return [
        tuple(value if isinstance(value, date) else str(value) for value in (getattr(row, name) for name in names))
        for row in result.rows
    ]


def test_a_month_starts_where_the_last_one_ended() -> None:
    """Months without movements are there, but for those in which nothing stood; each amount is rounded once."""
    assert waterfall(get_mrr(Ledger())) == [
        (date(2026, 1, 1), "0.00", "10.00", "0.00", "0.08", "0.00", "0.00", "10.08"),
        (date(2026, 2, 1), "10.08", "0.00", "0.00", "0.00", "0.00", "0.00", "10.08"),
        (date(2026, 3, 1), "10.08", "0.00", "0.00", "0.00", "-5.08", "-5.00", "0.00"),
        (date(2026, 5, 1), "0.00", "0.00", "50.00", "0.00", "0.00", "0.00", "50.00"),
    ]


def test_the_range_takes_whole_days() -> None:
    """What moved before it is where it starts; its end, and an earlier now, are not in it."""
    begin, end = datetime(2026, 1, 10, tzinfo=timezone.utc), datetime(2026, 3, 31, tzinfo=timezone.utc)
    rows = waterfall(get_mrr(Ledger(), start=begin, end=end))
    assert rows == waterfall(get_mrr(Ledger(), start=begin, as_of=end))
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        (date(2026, 1, 1), "10.00", "10.08"),
        (date(2026, 2, 1), "10.08", "10.08"),
        (date(2026, 3, 1), "10.08", "5.00"),
    ]
    assert [row[0] for row in waterfall(get_mrr(Ledger(), interval="week", start=begin, end=end))][:2] == [
        date(2026, 1, 5),
        date(2026, 1, 12),
    ]


def test_currencies_plans_accounts_and_policies_stand_apart() -> None:
    """Each with the digits of its currency; test mode is not in it."""
    ledger = Ledger(
        "('2026-05-02', 'new', 1200, 'jpy', 'Solo', 'prod_2', '', true, 'gdp')",
        "('2026-05-02', 'new', 12, 'usd', 'Pro', 'prod_1', 'acct_1', true, 'gdp')",
        "('2026-05-02', 'new', 12, 'usd', 'Pro', 'prod_1', '', false, 'gdp')",
        "('2026-05-02', 'new', 24, 'usd', 'Pro', 'prod_1', '', true, 'stripe')",
    )
    may = datetime(2026, 5, 1, tzinfo=timezone.utc)
    result = get_mrr(ledger, by="plan", start=may)
    assert [(row.account, row.currency, row.part, str(row.end)) for row in result.rows] == [
        ("", "jpy", "Solo", "100"),
        ("", "usd", "Pro", "50.00"),
        ("acct_1", "usd", "Pro", "1.00"),
    ]
    assert [column.name for column in result.records().columns][:4] == ["month", "account", "currency", "plan"]
    assert [row.end for row in get_mrr(ledger, "stripe").rows] == [Decimal(2)]
    assert get_mrr(ledger, "stripe", end=may).table().tables == ()


def test_persons_are_told_apart_by_what_holds_of_them_at_now() -> None:
    """Whoever moved from one country to another has its whole past there; of whom none is known is a part."""
    ledger = Ledger()
    ledger.connection.execute(
        "insert into person_property values (1, 'country', 'DE', '2026-01-01', '2026-02-01'),"
        " (1, 'country', 'FR', '2026-02-01', '2026-05-05'), (1, 'country', 'IT', '2026-05-05', null),"
        " (1, 'cohort', '2026-01-05', '2026-01-01', null)"
    )
    ledger.connection.execute(
        "insert into mrr_movement (day, movement, arr, person_key) values ('2026-01-06', 'new', 24, 1),"
        " ('2026-01-07', 'new', 36, 2)"
    )
    january = {"end": datetime(2026, 2, 1, tzinfo=timezone.utc)}
    for options, part in (
        ({"by": "country"}, "IT"),
        ({"by": "country", "as_of": datetime(2026, 5, 1, tzinfo=timezone.utc)}, "FR"),
        ({"by": "cohort"}, "2026-01-05"),
    ):
        rows = get_mrr(ledger, **january, **options).rows
        assert [(row.part, str(row.end)) for row in rows] == [(None, "13.08"), (part, "2.00")]


def test_in_the_reporting_currency_rates_move_what_stands() -> None:
    """At each day's rate, start, movements and fx are the end, what stands at the day's rate; or all is at one rate."""
    ledger = Ledger(
        "('2026-01-12', 'new', 1200, 'eur', 'Solo', 'prod_2', '', true, 'gdp')",
        "('2026-02-10', 'expansion', 120, 'eur', 'Solo', 'prod_2', '', true, 'gdp')",
        "('2026-03-05', 'churn', -1320, 'eur', 'Solo', 'prod_2', '', true, 'gdp')",
        "('2026-05-08', 'reactivation', 12, 'eur', 'Solo', 'prod_2', '', true, 'gdp')",
    )
    spot, constant = get_mrr(ledger, reporting="spot"), get_mrr(ledger, reporting="constant")
    assert [(row.currency, row.part) for row in spot.rows] == [("usd", None)] * 4
    assert [
        (row.interval_start.month, str(row.start), str(row.new), str(row.fx), str(row.end)) for row in spot.rows
    ] == [
        (1, "0.00", "120.00", "0.00", "120.08"),  # 100 eur at 1.10
        (2, "120.08", "0.00", "10.00", "142.08"),  # 100 eur from 1.10 to 1.20, and 10 eur more at 1.20
        (3, "142.08", "0.00", "0.00", "0.00"),
        (5, "0.00", "0.00", "0.10", "51.30"),  # what churned is not moved by rates
    ]
    assert [(str(row.new), str(row.fx), str(row.end)) for row in constant.rows] == [
        ("140.00", "0.00", "140.08"),
        ("0.00", "0.00", "153.08"),
        ("0.00", "0.00", "0.00"),
        ("0.00", "0.00", "51.30"),
    ]
    by_currency = get_mrr(ledger, reporting="spot", by="currency")
    assert {row.part for row in by_currency.rows} == {"usd", "eur"}
    assert sum(row.fx for row in by_currency.rows if row.part == "usd") == 0
    names = [column.name for column in spot.records().columns]
    assert names == ["month", "currency", "start", *MOVEMENTS, "fx", "end"]
    assert "fx" not in [column.name for column in constant.records().columns]


def test_a_currency_without_a_rate_is_named() -> None:
    """Never taken for 0 or 1: not before its first rate, and not without any; by itself it needs none."""
    early = Ledger("('2026-01-09', 'new', 12, 'eur', 'Solo', 'prod_2', '', true, 'gdp')")
    with pytest.raises(GdpError, match=r"no rate from eur to usd on 2026-01-09: add it to definitions/fx\.csv and run"):
        get_mrr(early, reporting="spot")
    assert get_mrr(early, reporting="constant").rows[-1].currency == "usd"
    unknown = Ledger("('2026-02-09', 'new', 12, 'jpy', 'Solo', 'prod_2', '', true, 'gdp')")
    with pytest.raises(GdpError, match="no rate from jpy to usd on 2026-05-10"):
        get_mrr(unknown, reporting="constant")
    assert {row.currency for row in get_mrr(unknown).rows} == {"usd", "jpy"}


_DAYS = st.integers(0, 40)


@given(
    moves=st.lists(
        st.tuples(_DAYS, st.sampled_from(("usd", "eur", "jpy")), st.sampled_from(MOVEMENTS), st.integers(-99, 99))
    ),
    rates=st.dictionaries(st.tuples(st.sampled_from(("eur", "jpy")), _DAYS), st.decimals("0.001", 9, places=3)),
)
def test_reported_days_are_those_of_the_words(moves: Any, rates: Any) -> None:
    """Day by day in plain fractions: movements at the day's rate, what stood at the new less at the old one."""
    first = date(2026, 1, 1)
    known = {("usd", -1): Decimal(1), ("eur", -1): Decimal("1.1"), ("jpy", -1): Decimal("0.006"), **rates}
    days: dict[Any, list[dict[str, Any]]] = {}
    for number, currency, kind, arr in sorted(moves):
        amounts = {name: Decimal(arr if name == kind else 0) for name in (*MOVEMENTS, "moved")} | {
            "moved": Decimal(arr)
        }
        of_key = days.setdefault(("", currency, None), [])
        if of_key and of_key[-1]["day"] == first + timedelta(number):
            for name, amount in amounts.items():
                of_key[-1][name] += amount
        else:
            of_key.append({"day": first + timedelta(number), **amounts})
    by_currency: dict[str, list[tuple[date, Decimal]]] = {}
    for (currency, number), rate in sorted(known.items()):
        by_currency.setdefault(currency, []).append((first + timedelta(number), rate))
    found = reported(
        days, Rates("usd", by_currency), "spot", movements=MOVEMENTS, days_end=first + timedelta(41), by_currency=False
    )
    rows = {row["day"]: row for row in found.get(("", "usd", None), [])}
    total = Fraction(0)
    for number in range(41):
        expected: dict[str, Fraction] = dict.fromkeys((*MOVEMENTS, "fx"), Fraction(0))
        ends = Fraction(0)
        for currency in ("usd", "eur", "jpy"):
            now, before = (
                Fraction(max((at, rate) for (of, at), rate in known.items() if of == currency and at <= until)[1])
                for until in (number, max(number - 1, -1))
            )
            stood = sum(arr for at, of, _, arr in moves if of == currency and at < number)
            expected["fx"] += stood * (now - before)
            for at, of, kind, arr in moves:
                if of == currency and at == number:
                    expected[kind] += arr * now
            ends += now * sum(arr for at, of, _, arr in moves if of == currency and at <= number)
        row = rows.get(first + timedelta(number))
        assert {name: Fraction(row[name]) if row else 0 for name in expected} == expected, number
        total += sum(expected.values())
        assert total == ends


@pytest.mark.parametrize("by", ["currency", "plan", "product", "country", "cohort"])
def test_the_parts_of_the_sample_are_those_of_adding_up(sample: Studio, by: str) -> None:
    """Each month, currency and part against plain sums of the movements; the parts of a day are the whole."""
    with open_warehouse(sample.home) as warehouse:
        moved = warehouse.dicts("select * from mrr_movement where policy = 'gdp' and livemode")
        of_person = dict(
            warehouse.rows(
                "select person_key, value from person_property where property = $by and valid_from <= $as_of"
                " and (valid_to is null or valid_to > $as_of)",
                {"by": by, "as_of": warehouse.as_of},
            )
        )
        result = get_mrr(warehouse, by=by)
        whole, parts = (
            query(prepare(warehouse, MrrSpec(by=name))).run(warehouse)
            for name in ("currency", by)  # type: ignore[arg-type]
        )
    names: dict[str, Callable[[dict[str, Any]], Any]] = {
        "currency": lambda _: None,
        "plan": lambda row: row["plan_name"],
        "product": lambda row: row["product_id"],
    }
    part_of = names.get(by, lambda row: of_person.get(row["person_key"]))
    expected: dict[tuple[Any, ...], Fraction] = defaultdict(Fraction)
    for row in moved:
        expected[row["day"].replace(day=1), row["currency"], part_of(row), row["movement"]] += Fraction(row["arr"])
    found = {
        (row.interval_start, row.currency, row.part, name): getattr(row, name)
        for row in result.rows
        for name in MOVEMENTS
        if getattr(row, name)
    }
    assert found == {key: amount for key, arr in expected.items() if (amount := monthly(_exact(arr), key[1]))}
    assert _by_day(parts) == _by_day(whole)
    assert len({row.part for row in result.rows}) > (1 if by != "currency" else 0)


def _exact(arr: Fraction) -> Decimal:
    with localcontext(prec=60):
        return Decimal(arr.numerator) / arr.denominator


def _by_day(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], Decimal]:
    found: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for row in rows:
        for name in (*MOVEMENTS, "moved"):
            found[row["day"], row["currency"], name] += row[name]
    return {key: amount for key, amount in found.items() if amount}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"policy": "strype"}, "no revenue policy 'strype' (did you mean 'stripe'?)"),
        ({"tz": "Europe/Berlin"}, "give --tz UTC"),
        ({"start": datetime(2026, 1, 1, 5, tzinfo=timezone.utc)}, "known at the ends of days (UTC)"),
        ({"as_of": datetime(2026, 1, 1, 5, tzinfo=timezone.utc)}, "known at the ends of days (UTC)"),
        ({"by": "planet"}, "by: "),
    ],
)
def test_a_question_that_has_no_answer_is_refused(options: dict[str, Any], complaint: str) -> None:
    """With what would be accepted."""
    with pytest.raises(UsageError) as refusal:
        get_mrr(Ledger(), **options)
    assert complaint in str(refusal.value)


def test_what_is_not_known_is_said() -> None:
    """Subscriptions without a worth are counted by their reason, those of the policy and of live mode."""
    ledger = Ledger()
    assert get_mrr(ledger).unknown == ()
    assert len(get_mrr(ledger).table().lines) == 1
    ledger.connection.execute(
        "insert into mrr_unknown values ('items missing', 'gdp', true), ('no amount', 'gdp', true),"
        " ('no amount', 'gdp', true), ('no amount', 'stripe', true), ('no amount', 'gdp', false)"
    )
    result = get_mrr(ledger)
    assert [(one.reason, one.subscriptions) for one in result.unknown] == [("no amount", 2), ("items missing", 1)]
    assert result.table().lines[1] == (
        "Subscriptions not in it, as nobody knows what they are worth (mrr_unknown): no amount: 2, items missing: 1."
    )
