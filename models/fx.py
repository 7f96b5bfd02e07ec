"""Exchange rates: what a unit of each currency is worth in the reporting currency, from a day on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from models.base import Shape


class FxRate(Shape):
    """From a day (UTC) on, until the next rate of that currency: units of the reporting currency for one of it."""

    day: date
    currency: str
    rate: Decimal


class FxRates(Shape):
    """All rates of a project, by currency and day; the reporting currency itself needs none."""

    rates: tuple[FxRate, ...] = ()
