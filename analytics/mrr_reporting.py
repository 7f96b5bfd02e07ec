"""Recurring revenue in the reporting currency: at each day's rate, with what rates moved, or all at one rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from analytics.query import Engine
from models.errors import GdpError

Reporting = Literal["spot", "constant"]
#: Account, currency and part.
Key = tuple[str, str, str | None]
Day = dict[str, Any]


@dataclass(frozen=True)
class Rates:
    """Rates of each currency to the reporting currency, each from a day on, in the order of time."""

    reporting_currency: str
    of: Mapping[str, Sequence[tuple[date, Decimal]]]

    @classmethod
    def read(cls, engine: Engine) -> Rates:
        """Those of the build."""
        rows = engine.rows("select reporting_currency, currency, valid_from, rate from fx_rate order by valid_from")
        found: dict[str, list[tuple[date, Decimal]]] = {}
        for _, currency, day, rate in rows:
            found.setdefault(currency, []).append((day, rate))
        return cls(rows[0][0], found)

    def on(self, currency: str, day: date) -> Decimal:
        """The rate of a currency on a day.

        Raises:
            GdpError: if it has none.
        """
        known = [rate for since, rate in self.of.get(currency, ()) if since <= day]
        if not known:
            raise GdpError(
                f"no rate from {currency} to {self.reporting_currency} on {day}: "
                "add it to definitions/fx.csv and run gdp build"
            )
        return known[-1]

    def changes(self, currency: str, after: date, before: date) -> list[tuple[date, Decimal]]:
        """The rates that begin after a day and before another."""
        return [(since, rate) for since, rate in self.of.get(currency, ()) if after < since < before]


def reported(
    days: Mapping[Key, list[Day]],
    rates: Rates,
    reporting: Reporting,
    *,
    movements: Iterable[str],
    days_end: date,
    by_currency: bool,
) -> dict[Key, list[Day]]:
    """The days of all currencies in the reporting currency, summed up by account and part.

    ``spot``: each movement at the rate of its day, and on each day on which a currency has another rate than before,
    what that makes of what stood the day before is its ``fx``. So start + movements + fx = end = what stands at the
    day's rate.
    ``constant``: all at the rate of the last day, and nothing is ``fx``.

    Args:
        days: of each key, day by day, the yearly amounts that moved.
        rates: of the build.
        reporting: at which rates.
        movements: the names of the amounts, beside ``moved``, their sum.
        days_end: the day behind the last that counts.
        by_currency: whether each currency is a part of its own.

    Raises:
        GdpError: naming a currency without a rate on a day that needs one.
    """
    names = tuple(movements)
    found: dict[Key, dict[date, Day]] = {}
    for (account, currency, part), of_key in days.items():
        key = (account, rates.reporting_currency, currency if by_currency else part)
        sums = found.setdefault(key, {})
        for day in _valued(of_key, currency, rates, reporting, names, days_end):
            summed = sums.setdefault(
                day["day"], {"day": day["day"], **dict.fromkeys((*names, "fx", "moved"), Decimal(0))}
            )
            for name in (*names, "fx", "moved"):
                summed[name] += day[name]
    return {key: [sums[day] for day in sorted(sums)] for key, sums in found.items()}


def _valued(
    of_key: list[Day], currency: str, rates: Rates, reporting: Reporting, names: tuple[str, ...], days_end: date
) -> list[Day]:
    if reporting == "constant":
        rate = rates.on(currency, days_end - timedelta(days=1))
        return [_at(day, rate, names) for day in of_key]
    first = of_key[0]["day"]
    moved = {day["day"]: day for day in of_key}
    changed = dict(rates.changes(currency, first, days_end))
    rate, stood, found = rates.on(currency, first), Decimal(0), []
    nothing = dict.fromkeys((*names, "moved"), Decimal(0))
    for day in sorted(moved.keys() | changed.keys()):
        new = changed.get(day, rate)
        valued = _at(moved.get(day, {"day": day, **nothing}), new, names)
        valued["fx"] = stood * (new - rate)
        valued["moved"] += valued["fx"]
        if day in moved or stood:
            found.append(valued)
        stood += moved[day]["moved"] if day in moved else 0
        rate = new
    return found


def _at(day: Day, rate: Decimal, names: tuple[str, ...]) -> Day:
    return {"day": day["day"], "fx": Decimal(0), **{name: day[name] * rate for name in (*names, "moved")}}
