"""Currencies that a build found in use on days on which they have no exchange rate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from warehouse.dbt import DbtOutcome
from warehouse.duck import connect

#: The data test that warns of them (dbt_project/tests/generic).
_TEST = "every_currency_has_a_rate"


@dataclass(frozen=True)
class Unrated:
    """A currency without a rate to the reporting one from the day (UTC) of its first use to that of its first rate.

    ``rate_from`` is None for one that has no rate at all.
    """

    currency: str
    reporting_currency: str
    used_from: date
    rate_from: date | None

    def to_json(self) -> dict[str, Any]:
        """Plain values (docs/json.md)."""
        return {
            "currency": self.currency,
            "reporting_currency": self.reporting_currency,
            "used_from": str(self.used_from),
            "rate_from": None if self.rate_from is None else str(self.rate_from),
        }

    def __str__(self) -> str:
        if self.rate_from is None:
            return f"{self.currency} from {self.used_from} on"
        return f"{self.currency} from {self.used_from} to {self.rate_from - timedelta(days=1)}"


def unrated(path: Path, outcome: DbtOutcome | None) -> tuple[Unrated, ...]:
    """Those that a build warned of, by name, from the generation that it published."""
    if outcome is None or not any(node.name.startswith(_TEST) for node in outcome.warnings):
        return ()
    columns = "currency, reporting_currency, used_from, rate_from"
    with connect(path, read_only=True) as connection:
        rows = connection.execute(f"select {columns} from fx_missing order by currency").fetchall()
    return tuple(Unrated(*row) for row in rows)
