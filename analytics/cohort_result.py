"""The answer to a cohort table, and how it is shown."""

from __future__ import annotations

from datetime import date
from typing import Any

from analytics.cohort_money import MEASURES, Amount
from analytics.table import Column, Sheet, Table, minute
from models.base import Moment, Shape

_SHOWN = 24


class Cell(Shape):
    """One period of one cohort.

    ``n`` members were active, ``mature`` of all members have lived the period to its end; ``rate`` (with its 95 %
    Wilson interval) is n of the cohort's size, and None until every member is mature.
    """

    period: int
    n: int
    rate: float | None
    complete: bool
    low: float | None
    high: float | None
    mature: int


class OverallCell(Shape):
    """One period over the ``cohorts`` that completed it: ``n`` of their ``size`` members; ``mean`` of their rates."""

    period: int
    n: int
    size: int
    cohorts: int
    rate: float | None
    mean: float | None
    low: float | None
    high: float | None


class Cohort(Shape):
    """The persons who began in one calendar interval, named by its first day."""

    cohort: date
    size: int
    metrics: dict[str, Cell | Amount]
    cells: tuple[Cell, ...]


class Overall(Shape):
    """All cohorts together; ``size`` counts all members, each cell only those of cohorts that completed it."""

    size: int
    metrics: dict[str, OverallCell | Amount]
    cells: tuple[OverallCell, ...]


class CohortResult(Shape):
    """Cohorts in order of time, and the question they answer."""

    cohorts: tuple[Cohort, ...]
    overall: Overall
    by: str
    return_event: str | None
    interval: str
    kind: str
    period: str
    currency: str | None
    as_of: Moment
    tz: str
    start: Moment | None
    end: Moment | None

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md. A metric stands as its value and, under metrics, in full."""
        found = self.model_dump(mode="json", by_alias=True)
        return {
            "cohorts": [_with_rates(cohort, ("cohort", "size")) for cohort in found["cohorts"]],
            "overall": _with_rates(found["overall"], ("size",)),
            "by": self.by,
            "returnEvent": self.return_event,
            "interval": self.interval,
            "kind": self.kind,
            "period": self.period,
            "currency": self.currency,
            "asOf": found["asOf"],
            "tz": self.tz,
            "from": found["start"],
            "to": found["end"],
        }

    def table(self) -> Sheet:
        """One screen: a row per cohort, the newest last, and the overall row."""
        metrics = list(self.overall.metrics)
        periods = range(len(self.overall.cells))
        columns = (
            Column("cohort"),
            Column("size", "count"),
            *(
                Column(metric.replace("retention_", ""), "number" if metric in MEASURES else "rate")
                for metric in metrics
            ),
            *(Column(f"{self.interval[0]}{number}", "rate") for number in periods),
        )
        rows: list[tuple[Any, ...]] = [
            (
                cohort.cohort.isoformat(),
                cohort.size,
                *(_value(cohort.metrics[metric]) for metric in metrics),
                *(cohort.cells[number].rate if number < len(cohort.cells) else None for number in periods),
            )
            for cohort in self.cohorts[-_SHOWN:]
        ]
        rows.append(
            (
                "all",
                self.overall.size,
                *(_value(self.overall.metrics[metric]) for metric in metrics),
                *(cell.rate for cell in self.overall.cells),
            )
        )
        hidden = len(self.cohorts) - _SHOWN
        more = (
            f"{hidden} earlier cohort{'s' if hidden > 1 else ''}: --format json, csv or parquet" if hidden > 0 else ""
        )
        return Sheet(
            f"Retention by {self.interval} of {_BEGINS.get(self.by, 'the first ' + self.by)}",
            self._lines(),
            (Table(columns, tuple(rows), more=more),),
        )

    def _lines(self) -> tuple[str, ...]:
        action = "an action" if self.return_event is None else self.return_event
        kind = {
            "on": "in the period",
            "on_or_after": "in the period or later",
            "on_or_before": "in the period or before it",
        }[self.kind]
        first = self.interval[0]
        unit = {
            "calendar": f"Calendar periods in {self.tz}: {first}1 counts from the cohort, d7 from each member's start.",
            "rolling": "Periods of 24 h (a week is 7, a month 30 of them) from each member's start.",
        }[self.period]
        if not self.cohorts:
            return (f"Nobody began by {minute(self.as_of)} UTC{' in the range' if self.start or self.end else ''}.",)
        return (
            f"Share of a cohort with {action} {kind}, as of {minute(self.as_of)} UTC.",
            unit,
            *self._money_lines(),
            "–: some member has not reached its end yet; all: only cohorts that have.",
        )

    def _money_lines(self) -> tuple[str, ...]:
        asked = [metric for metric in self.overall.metrics if metric in MEASURES]
        if not asked:
            return ()
        what = {"ltv": "ltv: revenue to date per member", "arr": "arr: recurring revenue of a year per member, now"}
        unknown = [
            f"; not known of {found.unknown} members in {metric}"
            for metric, found in self.overall.metrics.items()
            if isinstance(found, Amount) and found.unknown
        ]
        return (f"{'; '.join(what[metric] for metric in asked)}; in {self.currency}{''.join(unknown)}.",)

    def records(self) -> Table:
        """One row per cohort and period or metric, for files; the overall rows have no cohort."""
        rows: list[tuple[Any, ...]] = []
        for cohort in self.cohorts:
            named: list[tuple[str, Cell | Amount]] = [*cohort.metrics.items()]
            named += [(self.interval, cell) for cell in cohort.cells]
            rows += [(cohort.cohort, *_record(measure, cohort.size, cell)) for measure, cell in named]
        overall: list[tuple[str, OverallCell | Amount]] = [*self.overall.metrics.items()]
        overall += [(self.interval, cell) for cell in self.overall.cells]
        rows += [(None, *_record(measure, self.overall.size, cell)) for measure, cell in overall]
        if self.currency is None:
            return Table(_RECORD_COLUMNS, tuple(row[: len(_RECORD_COLUMNS)] for row in rows))
        return Table((*_RECORD_COLUMNS, Column("total", "number"), Column("per_member", "number")), tuple(rows))


def _value(found: Cell | OverallCell | Amount) -> float | None:
    return float(found.per_member) if isinstance(found, Amount) else found.rate


def _record(measure: str, size: int, found: Cell | OverallCell | Amount) -> tuple[Any, ...]:
    if isinstance(found, Amount):
        no_cell = (None,) * 4
        return measure, None, size, found.payers, *no_cell, float(found.total), float(found.per_member)
    if isinstance(found, OverallCell):
        size, mature = found.size, found.size
    else:
        mature = found.mature
    return measure, found.period, size, found.n, mature, found.rate, found.low, found.high, None, None


_BEGINS = {"signup": "signup", "first_event": "the first event"}
_RECORD_COLUMNS = (
    Column("cohort", "date"),
    Column("measure"),
    Column("period", "count"),
    Column("size", "count"),
    Column("n", "count"),
    Column("mature", "count"),
    Column("rate", "rate"),
    Column("low", "rate"),
    Column("high", "rate"),
)


def _with_rates(found: dict[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    metrics = found["metrics"]
    return {
        **{name: found[name] for name in first},
        **{metric: cell["perMember" if metric in MEASURES else "rate"] for metric, cell in metrics.items()},
        "cells": found["cells"],
        "metrics": metrics,
    }
