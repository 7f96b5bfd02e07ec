"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.duration import Duration


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("24h", "interval '24' hour"),
        ("90d", "interval '90' day"),
        ("2w", "interval '14' day"),
        ("3m", "interval '3' month"),
        ("1y", "interval '1' year"),
        (" 7d ", "interval '7' day"),
    ],
)
def test_a_number_and_a_unit(text: str, sql: str) -> None:
    """Hours, days, weeks, months and years."""
    assert Duration.parse(text).sql == sql
    assert str(Duration.parse(text)) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "d",
        "7x",
        "-1d",
        "0d",
        "00d",
        "01d",
        "1.5d",
        "7 d",
        "7d7d",
        "7D",
        "٧d",
        "1e3d",
        "100y1",
        "1000000000d",
        "101y",
    ],
)
def test_what_is_not_a_length_of_time(text: str) -> None:
    """Everything else is refused with what would be accepted."""
    with pytest.raises(ValueError, match=r"is not a length of time|longer than a hundred years"):
        Duration.parse(text)


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)),  # noqa: DTZ001
    count=st.integers(1, 60),
    unit=st.sampled_from("hdwmy"),
)
def test_python_and_sql_add_the_same(moment: datetime, count: int, unit: str) -> None:
    """The bounds we compute and the ends the database computes are one calendar."""
    length = Duration(count, unit)
    connection = _connection()
    assert connection.execute(f"select $moment::timestamptz + {length.sql}", {"moment": moment}).fetchall() == [
        (length.after(moment),)
    ]
    assert connection.execute(f"select $moment::timestamptz - {length.sql}", {"moment": moment}).fetchall() == [
        (length.before(moment),)
    ]


def test_a_month_ends_where_the_month_does() -> None:
    """A month before the 31st of March is the last of February."""
    assert Duration.parse("1m").before(datetime(2026, 3, 31, tzinfo=timezone.utc)) == datetime(
        2026, 2, 28, tzinfo=timezone.utc
    )
    assert Duration.parse("1y").after(datetime(2024, 2, 29, tzinfo=timezone.utc)) - datetime(
        2024, 2, 29, tzinfo=timezone.utc
    ) == timedelta(days=365)


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.default_connection()
    connection.execute("set TimeZone = 'UTC'")
    return connection
