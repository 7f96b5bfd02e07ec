"""Calendar days, weeks (from Monday) and months, numbered: the same numbers in SQL and in Python."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from analytics import dialect

Interval = Literal["day", "week", "month"]
_EPOCH = date(1970, 1, 1)


def interval_number(moment: str, interval: Interval, tz: str) -> str:
    """The number of the calendar day, week or month of a time, as SQL."""
    number = {"day": dialect.day_number, "week": dialect.week_number, "month": dialect.month_number}[interval]
    return number(moment, tz)


def number_of(day: date, interval: Interval) -> int:
    """The number of the calendar day, week or month that a day is in."""
    if interval == "month":
        return day.year * 12 + day.month - 1
    days = (day - _EPOCH).days
    return days if interval == "day" else (days + 3) // 7


def first_day(number: int, interval: Interval) -> date:
    """The first day of a calendar day, week or month from its number."""
    if interval == "month":
        return date(number // 12, number % 12 + 1, 1)
    return _EPOCH + timedelta(days=number if interval == "day" else number * 7 - 3)
