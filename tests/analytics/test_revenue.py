"""Revenue, interval by interval, against a plain sum of its lines."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import get_revenue
from analytics.interval import first_day, number_of
from analytics.money import rounded
from models.errors import GdpError, UsageError
from tests.analytics.builders import Asked

BEGIN = datetime(2026, 1, 30, tzinfo=timezone.utc)
TABLES = """
    create table fx_rate as select 'usd' as currency, 'usd' as reporting_currency;
    create table revenue (
        kind varchar, occurred_at timestamptz, currency varchar, amount decimal(28, 15),
        reporting_amount decimal(38, 15), plan_name varchar, product_id varchar, account varchar, livemode boolean,
        person_key bigint, uncounted_because varchar, unreported_because varchar,
        reporting_currency varchar default 'usd', is_revenue boolean, day date
    );
    create table person_property (
        person_key bigint, property varchar, value varchar, valid_from timestamptz, valid_to timestamptz
    );
    insert into person_property values
        (1, 'country', 'DE', '2026-01-01', '2026-02-03'), (1, 'country', 'FR', '2026-02-03', null),
        (2, 'country', 'US', '2026-01-01', null)
"""
RATES = {"usd": Decimal(1), "jpy": Decimal("0.0064"), "kwd": None}


class Books(Asked):
    """An open warehouse with these lines of money."""

    def __init__(self, lines: list[dict[str, Any]], as_of: datetime) -> None:
        self.as_of = as_of
        self.connection = duckdb.connect(config={"threads": "1"})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(TABLES)
        for line in lines:
            names = ", ".join(line)
            self.connection.execute(
                f"insert into revenue ({names}) values ({', '.join('?' * len(line))})", list(line.values())
            )


def line(kind: str = "payment", amount: str | None = "29", hour: int = 0, **changes: Any) -> dict[str, Any]:
    """A money line; without an amount nothing tells what it is of."""
    currency = changes.pop("currency", "usd")
    rate, moment = RATES[currency], BEGIN + timedelta(hours=hour)
    value = None if amount is None else Decimal(amount)
    fields = {
        "kind": kind,
        "occurred_at": moment,
        "day": moment.date(),
        "currency": currency,
        "amount": value,
        "reporting_amount": None if value is None or rate is None else value * rate,
        "plan_name": "Pro",
        "product_id": "prod_1",
        "account": "",
        "livemode": True,
        "person_key": 1,
        "uncounted_because": "payment not told" if amount is None else None,
        "unreported_because": "no rate" if amount is not None and rate is None else None,
        "is_revenue": kind in ("payment", "refund", "dispute_lost"),
    }
    return fields | changes


def table(result: Any) -> list[tuple[Any, ...]]:
    """Interval, currency, part and amounts."""
    names = ("payments", "refunds", "disputes", "revenue")
    return [
        (row.interval_start, row.currency, row.part, *(str(getattr(row, name)) for name in names))
        for row in result.rows
    ]


def test_what_is_left_is_what_came_less_what_went() -> None:
    """Refunds and lost disputes count when they happen; taxes, fees, test mode and what is later do not."""
    lines = [
        line(amount="29"),
        line(amount="10.5", hour=20),
        line("refund", "-9", hour=24 * 3),
        line("dispute_lost", "-29", hour=24 * 4),
        line("tax", "-4"),
        line("fee", "-1"),
        line("dispute_won", "7"),
        line(amount="1000", livemode=False),
        line(amount="500", hour=24 * 40),
        line("refund", None, hour=5),
    ]
    result = get_revenue(Books(lines, BEGIN + timedelta(days=10)))
    assert table(result) == [
        (date(2026, 1, 1), "usd", None, "39.50", "0.00", "0.00", "39.50"),
        (date(2026, 2, 1), "usd", None, "0.00", "-9.00", "-29.00", "-38.00"),
    ]
    assert [(one.reason, one.lines) for one in result.uncounted] == [("payment not told", 1)]
    assert "Money not in it, as it cannot be counted (revenue.uncounted_because): payment not told: 1." in str(
        result.table().lines
    )
    assert result.records().rows[0] == (date(2026, 1, 1), "usd", 39.5, 0.0, 0.0, 39.5)


def test_a_part_is_what_was_bought_or_who_bought_it() -> None:
    """Missing is a part of its own, behind the others; who somebody is holds at the report's now."""
    lines = [
        line(amount="1"),
        line(amount="2", plan_name=None, product_id=None, person_key=None),
        line(amount="4", plan_name="Team", product_id="prod_2", person_key=2),
    ]
    books = Books(lines, BEGIN + timedelta(days=10))
    found = {
        by: {row.part: str(row.revenue) for row in get_revenue(books, by=by).rows}
        for by in ("plan", "product", "country")
    }
    assert found == {
        "plan": {"Pro": "1.00", "Team": "4.00", None: "2.00"},
        "product": {"prod_1": "1.00", "prod_2": "4.00", None: "2.00"},
        "country": {"FR": "1.00", "US": "4.00", None: "2.00"},
    }
    assert list(found["plan"]) == ["Pro", "Team", None]


def test_a_missing_rate_is_named() -> None:
    """A report in the reporting currency fails; one of other currencies or another range does not."""
    books = Books([line(), line(currency="kwd", hour=30)], BEGIN + timedelta(days=10))
    with pytest.raises(GdpError, match="no rate from kwd to usd on 2026-01-31: add it to definitions/fx.csv"):
        get_revenue(books, reporting=True)
    assert table(get_revenue(books, reporting=True, currency="USD"))[0][-1] == "29.00"
    assert table(get_revenue(books, reporting=True, end=BEGIN + timedelta(hours=30)))[0][-1] == "29.00"
    assert [row[1] for row in table(get_revenue(books))] == ["kwd", "usd"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"currency": "xyz"}, "'xyz' is no currency of ISO 4217"),
        ({"currency": "eur"}, "nothing was paid in eur (known: usd)"),
        ({"by": "customer"}, "by: give 'currency', 'plan'"),
        ({"interval": "year"}, "interval: give 'day', 'week' or 'month'"),
    ],
)
def test_a_wrong_question_is_refused(options: dict[str, Any], complaint: str) -> None:
    """With what would be accepted."""
    with pytest.raises(UsageError) as refusal:
        get_revenue(Books([line()], BEGIN + timedelta(days=1)), **options)
    assert complaint in str(refusal.value)


def test_nothing_was_paid_at_all() -> None:
    """Then no currency is offered."""
    with pytest.raises(UsageError, match=r"nothing was paid in usd \(nor in any other currency\)"):
        get_revenue(Books([], BEGIN + timedelta(days=1)), currency="usd")


amounts = st.decimals(Decimal("-1e7"), Decimal("1e7"), places=2)


@settings(max_examples=60)
@given(
    drawn=st.lists(
        st.tuples(
            st.sampled_from(("payment", "refund", "dispute_lost", "tax")),
            amounts | st.none(),
            st.integers(0, 24 * 70),
            st.sampled_from(("usd", "jpy")),
            st.sampled_from(("Pro", "Team", None)),
        ),
        max_size=30,
    ),
    zone=st.sampled_from(("UTC", "Europe/Berlin", "America/New_York")),
    interval=st.sampled_from(("day", "week", "month")),
    by=st.sampled_from(("currency", "plan")),
    reporting=st.booleans(),
    bounds=st.tuples(st.none() | st.integers(0, 24 * 30), st.none() | st.integers(24 * 31, 24 * 60)),
    as_of=st.integers(24 * 31, 24 * 80),
)
def test_revenue_equals_its_oracle(
    drawn: list[tuple[Any, ...]],
    zone: str,
    interval: Any,
    by: str,
    reporting: bool,
    bounds: tuple[int | None, int | None],
    as_of: int,
) -> None:
    """Calendar intervals of a zone, half-open ranges, exact sums rounded once."""
    since, until, now = bounds[0] or 0, bounds[1] or 10**6, as_of
    lines = [
        line(kind, None if amount is None else str(amount), hour, currency=currency, plan_name=plan)
        for kind, amount, hour, currency, plan in drawn
    ]
    sums: dict[tuple[Any, ...], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    uncounted = 0
    for one, (kind, amount, hour, currency, plan) in zip(lines, drawn, strict=True):
        if kind == "tax" or not since <= hour < until or hour > now:
            continue
        if amount is None:
            uncounted += 1
            continue
        local = one["occurred_at"].astimezone(ZoneInfo(zone)).date()
        key = (
            first_day(number_of(local, interval), interval),
            "usd" if reporting else currency,
            None if by == "currency" else plan,
        )
        sums[key][kind] += one["reporting_amount"] if reporting else amount
    names = ("payment", "refund", "dispute_lost")
    expected = [
        (
            *key,
            *(str(rounded(of_key[name], key[1])) for name in names),
            str(rounded(sum((of_key[name] for name in names), Decimal(0)), key[1])),
        )
        for key, of_key in sums.items()
    ]
    result = get_revenue(
        Books(lines, BEGIN + timedelta(hours=now)),
        interval=interval,
        by=by,
        reporting=reporting,
        tz=zone,
        **{
            name: BEGIN + timedelta(hours=hour)
            for name, hour in zip(("start", "end"), bounds, strict=True)
            if hour is not None
        },
    )
    assert sorted(table(result), key=str) == sorted(expected, key=str)
    assert sum(one.lines for one in result.uncounted) == uncounted
