"""When things happen: the seasons of the year, the days of the week, the hours of the day.

Times are whole milliseconds since 1970, UTC. Seasons are a warp of time: what is uniform in *effective hours* is busy
on Tuesdays and in November and quiet at night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cached_property

import numpy as np

from ingest.simulator.chance import Floats, Ints

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
_WEEKDAYS = np.array((1.1, 1.18, 1.12, 1.06, 0.94, 0.5, 0.46))  # Monday first
_HOURS = np.array(
    (2, 1, 1, 1, 2, 4, 8, 14, 20, 24, 25, 23, 20, 23, 25, 26, 25, 22, 19, 17, 15, 12, 8, 4), dtype=np.float64
)
_EPOCH = date(1970, 1, 1)


def milliseconds(moment: datetime) -> int:
    """A time as whole milliseconds since 1970."""
    return int((moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) / timedelta(milliseconds=1))


@dataclass(frozen=True)
class Season:
    """The time that is simulated: ``days`` days from the first moment of ``start``."""

    start: date
    days: int

    @property
    def begin(self) -> int:
        """The first millisecond."""
        return (self.start - _EPOCH).days * DAY

    @property
    def end(self) -> int:
        """The first millisecond after the last."""
        return self.begin + self.days * DAY

    @property
    def as_of(self) -> datetime:
        """The end as a time."""
        return datetime.fromtimestamp(self.end / 1000, tz=timezone.utc)

    def effective(self, at: Ints | Floats) -> Floats:
        """Effective hours from the beginning to a time."""
        return np.interp(at, *self._warp)

    def at(self, effective: Floats) -> Ints:
        """The time at which so many effective hours have passed, in [begin, end)."""
        hours, hours_effective = self._warp
        at = np.interp(effective, hours_effective, hours).astype(np.int64)
        return np.clip(at, self.begin, self.end - 1)

    @cached_property
    def _warp(self) -> tuple[Floats, Floats]:
        days = np.arange(self.days)
        first = (self.start - _EPOCH).days
        yearly = 1 + 0.25 * np.cos(2 * np.pi * (first + days - 320) / 365.25)
        growth = 1 + days / 365
        weekly = _WEEKDAYS[(first + 3 + days) % 7]
        weights = np.outer(yearly * growth * weekly, _HOURS).ravel()
        effective = np.zeros(self.days * 24 + 1)
        effective[1:] = np.cumsum(weights)
        hours = np.arange(self.begin, self.end + 1, HOUR, dtype=np.float64)
        return hours, effective * (self.days * 24 / effective[-1])


def add_months(second: int, months: int, anchor_day: int) -> int:
    """The second ``months`` months later, on ``anchor_day`` or the last day of a shorter month."""
    moment = datetime.fromtimestamp(second, tz=timezone.utc)
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    day = min(anchor_day, (following - timedelta(days=1)).day)
    return int(moment.replace(year=year, month=month, day=day).timestamp())
