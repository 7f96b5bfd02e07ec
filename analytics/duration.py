"""Lengths of time as people write them: 24h, 90d, 2w, 3m (calendar months), 1y."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

_TEXT = re.compile(r"([1-9][0-9]{0,5})([hdwmy])")
#: A hundred years, in each unit.
_MOST = {"h": 876_000, "d": 36_500, "w": 5_200, "m": 1_200, "y": 100}


@dataclass(frozen=True)
class Duration:
    """A positive length of time; hours, days (24 h) and weeks are fixed, months and years are of the UTC calendar."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read a length such as ``90d``.

        Raises:
            ValueError: if it is not a positive whole number of h, d, w, m or y, or longer than a hundred years.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            lower = text.strip().lower()
            meant = f" (did you mean {lower!r}?)" if _TEXT.fullmatch(lower) else ""
            raise ValueError(
                f"{text!r} is not a length of time{meant}:"
                " write a whole number from 1 on and h, d, w, m or y in lower case, such as 24h or 90d"
            )
        count, unit = int(match[1]), match[2]
        if count > _MOST[unit]:
            raise ValueError(f"{text!r} is longer than a hundred years ({_MOST[unit]}{unit})")
        return cls(count, unit)

    @property
    def microseconds(self) -> int | None:
        """The same length as a number; None for months and years, which are not equally long."""
        if self.unit in "my":
            return None
        return self.count * {"h": 1, "d": 24, "w": 7 * 24}[self.unit] * 3_600_000_000

    @property
    def sql(self) -> str:
        """The same length as an SQL interval."""
        count = self.count * 7 if self.unit == "w" else self.count
        unit = {"h": "hour", "d": "day", "w": "day", "m": "month", "y": "year"}[self.unit]
        return f"interval '{count}' {unit}"

    def after(self, moment: datetime) -> datetime:
        """The moment this much later."""
        return self._shift(moment, self.count)

    def before(self, moment: datetime) -> datetime:
        """The moment this much earlier."""
        return self._shift(moment, -self.count)

    def _shift(self, moment: datetime, count: int) -> datetime:
        if self.unit in "my":
            return _add_months(moment, count * (12 if self.unit == "y" else 1))
        return moment + count * {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[self.unit]

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def _validate(cls, value: Any) -> Duration:
        if isinstance(value, Duration):
            return value
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a length of time such as 24h or 90d")  # noqa: TRY004 (pydantic's rule)
        return cls.parse(value)


def _add_months(moment: datetime, months: int) -> datetime:
    """The same day and time some months on; the last day of the month where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
