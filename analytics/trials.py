"""Trials by when they began: how many converted, how many left, how many still run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Literal

from analytics.interval import Interval, first_day, number_of
from analytics.query import Engine
from analytics.spec import ReportSpec, at_build
from analytics.statistic import share, wilson
from analytics.table import Column, Sheet, Table, first_rows, minute, percent
from models.base import Moment, Shape

Outcome = Literal["running", "converted", "churned", "unpaid", "free", "paused"]
OUTCOMES: tuple[Outcome, ...] = ("running", "converted", "churned", "unpaid", "free", "paused")
By = Literal["plan", "product", "country", "cohort"]
_PARTS = {"plan": "trial.plan_name", "product": "trial.product_id"}

_SQL = """
select trial.started_at, trial.outcome, trial.is_extended, trial.converted_at, {part} as part
from subscription_trial as trial
left join person_property as property
    on trial.person_key = property.person_key
    and property.property = $by
    and property.valid_from <= $as_of
    and (property.valid_to is null or property.valid_to > $as_of)
where
    trial.livemode
    and ($start is null or trial.started_at >= $start)
    and ($end is null or trial.started_at < $end)
order by trial.started_at, trial.subscription_key"""


class TrialsSpec(ReportSpec):
    """How wide a row is, in calendar days of the zone, and what trials are told apart by (None: nothing)."""

    interval: Interval = "month"
    by: By | None = None


class TrialsRow(Shape):
    """Trials that began in an interval, by how they went; ``rate`` is of those that have ended, with its 95 % interval.

    ``days_to_convert`` is the median from the begin of those that converted.
    """

    interval_start: date
    part: str | None
    trials: int
    extended: int
    running: int
    converted: int
    churned: int
    unpaid: int
    free: int
    paused: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    days_to_convert: float | None


class TrialsResult(Shape):
    """All intervals in which a trial began, and all trials together (null: there is none)."""

    rows: tuple[TrialsRow, ...]
    total: TrialsRow | None
    interval: Interval
    by: By | None
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        shown = self.records()
        lines = [f"By the {self.interval} in which they began, as of {minute(self.as_of)} UTC; live mode."]
        if self.total:
            ended = self.total.trials - self.total.running
            of_them = f"{percent(self.total.rate)} converted of {ended:,} that ended"
            lines.append(f"{self.total.trials:,} trials: {of_them}, {self.total.running:,} still run.")
        return Sheet("Trials", tuple(lines), (first_rows(shown.columns, shown.rows, what="rows"),) if self.rows else ())

    def records(self) -> Table:
        """One row per interval and part."""
        counts = ("trials", "extended", *OUTCOMES)
        columns = (
            Column(self.interval, "date"),
            *([Column(self.by)] if self.by else []),
            *(Column(name, "count") for name in counts),
            *(Column(name, "rate") for name in ("rate", "rate_low", "rate_high")),
            Column("days_to_convert", "number"),
        )
        rows = tuple(
            (
                row.interval_start,
                *([row.part] if self.by else []),
                *(getattr(row, name) for name in counts),
                *(row.rate, row.rate_low, row.rate_high, row.days_to_convert),
            )
            for row in self.rows
        )
        return Table(columns, rows)


def trials(engine: Engine, spec: TrialsSpec) -> TrialsResult:
    """How the trials of the build's now went.

    Args:
        engine: an open warehouse.
        spec: the question; its range selects trials by when they began.
    """
    spec = at_build(spec, engine)
    sql = _SQL.replace("{part}", _PARTS.get(spec.by or "", "property.value"))
    asked = {"by": spec.by or "", "as_of": engine.as_of, "start": spec.start, "end": spec.end}
    found = engine.dicts(sql, asked)
    grouped: dict[tuple[date, str | None], list[dict[str, Any]]] = {}
    for trial in found:
        day = trial["started_at"].astimezone(spec.zone).date()
        begin = first_day(number_of(day, spec.interval), spec.interval)
        grouped.setdefault((begin, trial["part"] if spec.by else None), []).append(trial)
    order = sorted(grouped, key=lambda key: (key[0], key[1] is None, key[1] or ""))
    return TrialsResult(
        rows=tuple(_row(*key, grouped[key]) for key in order),
        total=_row(order[0][0], None, found) if found else None,
        interval=spec.interval,
        by=spec.by,
        as_of=engine.as_of,
    )


def _row(begin: date, part: str | None, found: list[dict[str, Any]]) -> TrialsRow:
    counts = {outcome: sum(trial["outcome"] == outcome for trial in found) for outcome in OUTCOMES}
    ended = len(found) - counts["running"]
    low, high = wilson(counts["converted"], ended) if ended else (None, None)
    return TrialsRow(
        interval_start=begin,
        part=part,
        trials=len(found),
        extended=sum(trial["is_extended"] for trial in found),
        **counts,
        rate=share(counts["converted"], ended),
        rate_low=low,
        rate_high=high,
        days_to_convert=_median_days(
            (trial["started_at"], trial["converted_at"]) for trial in found if trial["converted_at"]
        ),
    )


def _median_days(spans: Iterable[tuple[datetime, datetime]]) -> float | None:
    days = [(until - since) / timedelta(days=1) for since, until in spans]
    return median(days) if days else None
