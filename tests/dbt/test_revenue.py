"""Revenue: the lines of money against an oracle, cases worked by hand, and what they add up to."""

from __future__ import annotations

import shutil
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models.fx import FxRate, FxRates
from models.landing import STRIPE
from pipeline.unrated import unrated
from tests.dbt import stripes
from tests.dbt.builds import Workshop, hashes, opened
from tests.dbt.definitions import stripe_workshop
from tests.dbt.money import Line, Till, major
from tests.dbt.money_cases import CASES, TOTALS, deliveries
from tests.dbt.stripes import NOW, day, snapshot
from tests.dbt.tills import Payments
from warehouse.dbt import DbtOutcome, NodeResult

#: Euros have none before the 10th of January, dinars none at all.
RATES = FxRates(
    rates=tuple(
        FxRate(day=date(2026, 1, day), currency=currency, rate=Decimal(rate))
        for day, currency, rate in ((10, "eur", "1.1"), (15, "eur", "1.25"), (1, "jpy", "0.006412345678"))
    )
)

#: Told last of all: two customers are one user, so that lines told before are another person's.
MERGED = [snapshot(stripes.customer(name, metadata={"user_id": "u-merged"}), 90) for name in ("m_paid", "m_lost")]


def random_payments() -> list[dict[str, Any]]:
    """Of some hundred customers."""
    return Payments(seed=6, customers=250).deliveries()


def told_of_money() -> list[dict[str, Any]]:
    """Cases and random payments; what merges customers comes last."""
    return [*deliveries(), *random_payments(), *MERGED]


@pytest.fixture(scope="module", params=[1, pytest.param(3, marks=pytest.mark.slow)], ids="{} builds".format)
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Workshop]:
    """Cases and random payments, landed in any order and built in one step, with all else of Stripe, or in three."""
    if request.param == 1:
        shared: tuple[Path, Workshop] = request.getfixturevalue("told_by_stripe")
        return shared
    shop = stripe_workshop(tmp_path_factory.mktemp("money"))
    shop.fx = RATES
    told = told_of_money()[: -len(MERGED)]
    for part in range(request.param):
        is_last = part == request.param - 1
        shop.land([*told[part :: request.param], *(MERGED if is_last else ())], STRIPE)
        file = shop.build(NOW)
    return file, shop


@pytest.fixture(scope="module")
def built(ledger: tuple[Path, Workshop]) -> Path:
    return ledger[0]


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return Till(random_payments()).lines()


def rows(file: Path, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with opened(file) as connection:
        found: list[tuple[Any, ...]] = connection.execute(sql, values or None).fetchall()
    return found


@pytest.mark.parametrize("name", CASES)
def test_each_case_has_the_lines_that_a_reader_expects(built: Path, name: str) -> None:
    """Kind, time and amount, or why there is none; a customer's lines are all of its case."""
    found = rows(
        built,
        "select kind, occurred_at, amount, uncounted_because from revenue where stripe_customer_id = $customer"
        " or source_id in ($refund, $dispute) order by occurred_at, kind desc",
        customer=f"cus_{name}",
        refund=f"re_{name}",
        dispute=f"dp_{name}",
    )
    expected = sorted(CASES[name][1], key=lambda line: line[1])
    assert sorted((kind, moment, why or amount) for kind, moment, amount, why in found) == sorted(
        (kind, day(when), _amount(what)) for kind, when, what in expected
    )


def test_lines_are_of_the_person_whom_their_customer_is_now(built: Path) -> None:
    """Those of two customers who turned out to be one user, too, though nothing new was told of the money."""
    found = rows(
        built,
        "select person_key, sum(amount) filter (where is_revenue) from revenue"
        " where stripe_customer_id in ('cus_m_paid', 'cus_m_lost') group by person_key",
    )
    assert [total for _, total in found] == [Decimal(29)]


@pytest.mark.parametrize("name", TOTALS)
def test_a_subscription_has_what_it_brought(built: Path, name: str) -> None:
    """Paid invoices less refunds and lost disputes; refunded once it has ended and all of it went back."""
    total, status = TOTALS[name]
    [(brought, why, is_status)] = rows(
        built,
        "select total_revenue, revenue_unknown_because, status from subscription where stripe_subscription_id = $name",
        name=f"sub_{name}",
    )
    assert (brought if why is None else why) == _amount(total)
    assert is_status == (status or "active")


def _amount(text: str) -> Decimal | str:
    return text if text[-1].isalpha() else Decimal(text)


def test_equal_ids_of_other_accounts_are_others(built: Path) -> None:
    """Lines, what they were paid for, and totals of each account and mode; its customer is one person."""
    found = rows(
        built,
        "select account, livemode, kind, occurred_at, amount, invoice_id from revenue"
        " where stripe_customer_id = 'cus_shared' order by all",
    )
    assert found == [
        ("", False, "payment", day(1), 99, "in_shared"),
        ("", True, "payment", day(1), 29, "in_shared"),
        ("acct_1", True, "payment", day(1), 50, "in_shared"),
        ("acct_1", True, "refund", day(3), -20, "in_shared"),
        ("acct_2", True, "dispute_lost", day(9), -7, "in_shared"),
        ("acct_2", True, "payment", day(1), 7, "in_shared"),
    ]
    totals = rows(
        built,
        "select account, livemode, total_revenue from subscription where stripe_subscription_id = 'sub_shared'"
        " order by all",
    )
    assert totals == [("", False, 99), ("", True, 29), ("acct_1", True, 30), ("acct_2", True, 0)]
    spent = rows(
        built,
        "select total_spent from person inner join identity_link using (person_key) where id_value = 'cus_shared'",
    )
    assert spent == [(59,)]


def test_what_was_bought_is_the_line_that_costs_most(built: Path) -> None:
    """With its name, or the one that subscriptions give it."""
    found = rows(
        built,
        "select plan_id, plan_name, product_id from revenue where stripe_customer_id in ('cus_m_bought', 'cus_m_paid')"
        " order by plan_id nulls last",
    )
    assert found == [("price_b", "Big", "prod_b"), (None, None, None)]


def test_the_lines_are_those_of_the_oracle(built: Path, lines: list[Line]) -> None:
    """Whatever shape invoices had, and in whatever order refunds, charges and disputes were told."""
    found = rows(
        built,
        "select kind, source_id, occurred_at, stripe_customer_id, stripe_subscription_id, invoice_id, currency,"
        " amount_minor, uncounted_because from revenue where is_revenue"
        " and regexp_matches(source_id, '^(in|ch|re|dp|cn)_t[0-9]+x')",
    )
    expected = {
        (
            *(line.kind, line.source_id, line.moment, line.customer, line.subscription),
            *(line.invoice if line.why is None else None, line.currency, line.amount_minor, line.why),
        )
        for line in lines
    }
    mine = {(*row[:5], row[5] if row[8] is None else None, *row[6:]) for row in found}
    assert mine == expected
    assert len(found) == len(mine)
    kinds = [(line.kind, line.why) for line in lines]
    assert min(kinds.count(kind) for kind in set(kinds)) > 5
    assert sum(":" in line.source_id for line in lines) > 20


def test_amounts_are_exact(built: Path) -> None:
    """In major units by the digits of the currency; in the reporting currency at the rate of the day."""
    rates = {
        currency: [(rate.day, Fraction(rate.rate)) for rate in RATES.rates if rate.currency == currency]
        for currency in ("eur", "jpy", "kwd")
    } | {"usd": [(day(-1000).date(), Fraction(1))]}
    digits = {"usd": 2, "eur": 2, "jpy": 0, "kwd": 3}
    found = rows(
        built,
        "select currency, day, amount_minor, amount, reporting_amount, unreported_because from revenue"
        " where uncounted_because is null",
    )
    for currency, on, minor, amount, reporting, why in found:
        assert Fraction(amount) == Fraction(minor, 10 ** digits[currency])
        rate = next((rate for since, rate in reversed(rates[currency]) if since <= on), None)
        assert (reporting is None) == (rate is None) == (why == "no rate")
        if rate is not None:
            assert abs(Fraction(reporting) - Fraction(amount) * rate) <= Fraction(1, 10**15)
    assert {why for *_, why in found} == {None, "no rate"}


def test_currencies_without_a_rate_are_named(built: Path) -> None:
    """From their first use; those with rates only later, too."""
    found = rows(built, "select currency, reporting_currency, rate_from from fx_missing order by 1")
    assert [(currency, since) for currency, _, since in found] == [("eur", day(9).date()), ("kwd", None)]


def test_a_build_names_them(built: Path) -> None:
    """With the days on which a rate is missing, if its test warned of them."""
    node = NodeResult("test.growth_data_plane.every_currency_has_a_rate_fx_missing_.1", "warn", 0.0, 2, None)
    (euro, dinar) = unrated(built, DbtOutcome(success=True, nodes=(node,)))
    assert str(euro) == f"eur from {euro.used_from} to 2026-01-09"
    assert str(dinar) == f"kwd from {dinar.used_from} on"
    assert day(0).date() <= min(euro.used_from, dinar.used_from)
    assert unrated(built, DbtOutcome(success=True, nodes=())) == unrated(built, None) == ()


def test_totals_are_those_of_the_oracle(built: Path, lines: list[Line]) -> None:
    """Of each subscription in its currency, and of each person in the reporting currency, at the end and before it."""
    brought: dict[str, Fraction] = defaultdict(Fraction)
    unclear = {line.customer for line in lines if line.why and line.customer}
    owner = {line.subscription: line.customer for line in lines if line.subscription}
    for line in lines:
        if line.subscription:
            brought[line.subscription] += major(line)
    found = dict(
        rows(
            built,
            "select stripe_subscription_id, total_revenue from subscription"
            " where regexp_matches(stripe_subscription_id, '^sub_t[0-9]+_')",
        )
    )
    assert len(found) > 250
    for name, total in found.items():
        expected = None if owner.get(name) in unclear else brought[name]
        assert (None if total is None else Fraction(total)) == expected, name
    assert 10 < sum(total is None for total in found.values()) < 100


@pytest.mark.parametrize("as_of", [5, 12.5, 150])
def test_a_person_has_spent_what_was_paid_by_then(built: Path, lines: list[Line], as_of: float, tmp_path: Path) -> None:
    """Null from the first line on of which it is not known what it is worth."""
    with _as_of(built, day(as_of), tmp_path) as connection:
        found = dict(
            connection.execute(
                "select link.id_value, person.total_spent from person"
                " inner join identity_link as link on person.person_key = link.person_key"
                " where link.id_type = 'stripe_id' and regexp_matches(link.id_value, '^cus_t[0-9]+$')"
            ).fetchall()
        )
    by_customer: dict[str | None, list[Line]] = defaultdict(list)
    for line in lines:
        if line.moment <= day(as_of):
            by_customer[line.customer].append(line)
    for customer, total in found.items():
        worth = [_reported(line) for line in by_customer[customer]]
        if None in worth:
            assert total is None, customer
        else:
            spent = sum((amount for amount in worth if amount is not None), Fraction(0))
            assert abs(Fraction(total) - spent) < Fraction(1, 10**12), customer
    assert len(found) > 200


def _reported(line: Line) -> Fraction | None:
    if line.why:
        return None
    if line.currency == "usd":
        return major(line)
    held = [rate.rate for rate in RATES.rates if rate.currency == line.currency and rate.day <= line.moment.date()]
    return Fraction(held[-1]) * major(line) if held else None


def _as_of(file: Path, moment: datetime, folder: Path) -> duckdb.DuckDBPyConnection:
    """A copy that is asked at another time."""
    earlier = folder / "earlier.duckdb"
    shutil.copyfile(file, earlier)
    earlier.chmod(0o600)
    connection = duckdb.connect(str(earlier))
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("update build_info set as_of = $as_of", {"as_of": moment})
    return connection


def test_lines_lie_before_as_of(built: Path, tmp_path: Path) -> None:
    """What is paid or given back later is not there yet."""
    with _as_of(built, day(10), tmp_path) as connection:
        found = connection.execute("select count(*), max(occurred_at) from revenue").fetchall()[0]
    assert found[0] > 100
    assert found[1] <= day(10)


@pytest.mark.slow
@pytest.mark.parametrize("ledger", [3], ids="{} builds".format, indirect=True)
def test_increments_equal_a_build_from_nothing(ledger: tuple[Path, Workshop]) -> None:
    """Every table."""
    file, shop = ledger
    assert hashes(file) == hashes(shop.build(NOW, full=True))


@pytest.mark.slow
@pytest.mark.parametrize("ledger", [3], ids="{} builds".format, indirect=True)
def test_new_rates_make_again_whom_they_concern(ledger: tuple[Path, Workshop]) -> None:
    """An increment of rates alone equals a build from nothing by them."""
    _, shop = ledger
    before, shop.fx = (
        shop.fx,
        RATES.model_copy(update={"rates": (RATES.rates[0].model_copy(update={"currency": "kwd"}), *RATES.rates)}),
    )
    try:
        increment = shop.build(NOW)
        assert rows(increment, "select currency from fx_missing order by 1") == [("eur",), ("kwd",)]
        assert hashes(increment) == hashes(shop.build(NOW, full=True))
    finally:
        shop.fx = before
