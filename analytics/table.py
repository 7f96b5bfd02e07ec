"""What a report hands to whoever prints it: tables with typed columns, and the words around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

#: Stands where there is nothing to say.
NOTHING = "–"
Kind = Literal["text", "count", "rate", "number", "seconds", "time", "date", "flag"]


@dataclass(frozen=True)
class Column:
    """A name and what kind of value stands below it; ``seconds`` is a length of time, ``rate`` a share of one."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """Rows of plain values, None where there is nothing to say."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str = ""
    more: str = ""
    """What stands below it when it shows less than there is."""


@dataclass(frozen=True)
class Sheet:
    """One screen for a person: a title, what the numbers mean, and a few small tables."""

    title: str
    lines: tuple[str, ...]
    tables: tuple[Table, ...]


def percent(rate: float | None) -> str:
    """A share of one with one decimal; none and all are whole."""
    if rate is None:
        return NOTHING
    return f"{100 * rate:.0f}%" if rate in (0, 1) else f"{100 * rate:.1f}%"


def minute(moment: datetime) -> str:
    """A point in time to the minute, in its own zone, which stands beside it."""
    return f"{moment:%Y-%m-%d %H:%M}"


def first_rows(
    columns: tuple[Column, ...],
    rows: tuple[tuple[Any, ...], ...],
    *,
    most: int = 20,
    title: str = "",
    what: str = "rows",
) -> Table:
    """A table cut to what fits a screen, which says so."""
    left = len(rows) - most
    more = f"and {left} more {what}: --format json, csv or parquet" if left > 0 else ""
    return Table(columns, rows[:most], title, more)
