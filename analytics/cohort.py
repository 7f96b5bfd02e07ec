"""Who comes back: persons grouped by when they began, and the share of them that is active later on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from analytics.cohort_money import MEASURES, Amount, amounts
from analytics.cohort_result import Cell, Cohort, CohortResult, Overall, OverallCell
from analytics.cohort_sql import Kind, Period, Shape, cohort_query
from analytics.interval import Interval, first_day
from analytics.money import reporting_currency
from analytics.names import require_event_types
from analytics.query import Engine, Query
from analytics.spec import ReportSpec, at_build, event_types
from analytics.statistic import wilson
from models.errors import nearest

SIGNUP = "signup_completed"
MAX_PERIODS = 366
MAX_METRICS = 20
MAX_DAY = 3650
_DEFAULT_PERIODS = {"day": 30, "week": 12, "month": 12}
_RETENTION = re.compile(r"retention_d(0|[1-9][0-9]{0,3})")


class CohortSpec(ReportSpec):
    """How persons are grouped, what counts as coming back, and in which periods.

    The range (``start``, ``end``) selects the members by their start.
    """

    by: Literal["signup", "first_event"] = "signup"
    start_event: str | None = Field(default=None, description="Start at the first of these events instead of `by`.")
    return_event: str | None = Field(default=None, description="Without it: any action.")
    interval: Interval = "week"
    metrics: tuple[str, ...] = ("retention_d7", "retention_d30")
    kind: Kind = "on"
    period: Period = "calendar"
    periods: int | None = Field(default=None, ge=0, le=MAX_PERIODS, description="The last period of the cells.")

    @field_validator("by", mode="before")
    @classmethod
    def _by_as_the_requirements_say_it(cls, by: object) -> object:
        names = {"signupdate": "signup", "signup_date": "signup", "firstevent": "first_event"}
        return names.get(by.lower(), by) if isinstance(by, str) else by

    @field_validator("start_event", "return_event")
    @classmethod
    def _event_is_named(cls, text: str | None) -> str | None:
        return None if text is None else "|".join(event_types(text))

    @field_validator("metrics")
    @classmethod
    def _metrics_are_known(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        if len(metrics) > MAX_METRICS:
            raise ValueError(f"at most {MAX_METRICS} metrics; given: {len(metrics)}")
        for metric in metrics:
            if metric in MEASURES:
                continue
            match = _RETENTION.fullmatch(metric)
            if match is None or int(match[1]) > MAX_DAY:
                hint = nearest(metric, ("retention_d1", "retention_d7", "retention_d30", *MEASURES))
                raise ValueError(
                    f"unknown metric {metric!r} ({hint}; retention_dN with N from 0 to {MAX_DAY}, ltv or arr)"
                )
        return tuple(dict.fromkeys(metrics))

    @model_validator(mode="after")
    def _start_is_said_once(self) -> CohortSpec:
        if self.start_event is not None and "by" in self.model_fields_set:
            raise ValueError("--start-event already says where a person starts: leave --by out")
        return self

    @property
    def last_period(self) -> int:
        """The last period of the cells."""
        return _DEFAULT_PERIODS[self.interval] if self.periods is None else self.periods

    @property
    def start_types(self) -> tuple[str, ...]:
        """The event types a person can start with; none: any."""
        if self.start_event is not None:
            return tuple(self.start_event.split("|"))
        return (SIGNUP,) if self.by == "signup" else ()

    @property
    def return_types(self) -> tuple[str, ...]:
        """The event types that count as coming back; none: any action."""
        return tuple(self.return_event.split("|")) if self.return_event else ()


def query(spec: CohortSpec) -> Query:
    """The retention of the cohort table as named SQL steps; ltv and arr have queries of their own."""
    return cohort_query(_shape(spec))


def _shape(spec: CohortSpec) -> Shape:
    return Shape(
        start_types=spec.start_types,
        return_types=spec.return_types,
        interval=spec.interval,
        kind=spec.kind,
        period=spec.period,
        last_period=spec.last_period,
        days=tuple(_days(spec.metrics).values()),
        tz=spec.tz,
        as_of=spec.now,
        start=spec.start,
        end=spec.end,
    )


def prepare(engine: Engine, spec: CohortSpec) -> CohortSpec:
    """Fill in the build's now, and refuse events that never happened.

    Raises:
        UsageError: for an unknown event type, with the nearest names.
    """
    spec = at_build(spec, engine)
    require_event_types(engine, spec.start_types, what="start event")
    require_event_types(engine, spec.return_types, what="return event")
    return spec


def run(engine: Engine, spec: CohortSpec) -> CohortResult:
    """Answer a cohort table.

    Raises:
        UsageError: for an unknown event type.
    """
    spec = prepare(engine, spec)
    tallies: dict[str, dict[int, Counter[int]]] = {}
    for row in query(spec).run(engine):
        tallies.setdefault(row["part"], {}).setdefault(row["cohort"], Counter())[row["number"]] = row["persons"]
    elapsed = tallies.get("period_elapsed", {})
    money = {name: amounts(engine, _shape(spec), name) for name in MEASURES if name in spec.metrics}
    days = _days(spec.metrics)
    cohorts = []
    for number in sorted(elapsed):
        size = elapsed[number].total()
        cells = _cells(
            range(min(spec.last_period, max(elapsed[number])) + 1),
            elapsed[number],
            tallies.get("period_active", {}).get(number, Counter()),
            spec.kind,
        )
        on_days = _cells(
            days.values(),
            tallies.get("day_elapsed", {}).get(number, Counter()),
            tallies.get("day_active", {}).get(number, Counter()),
            spec.kind,
        )
        metrics = dict(zip(days, on_days, strict=True)) | {name: found[number] for name, found in money.items()}
        cohorts.append(
            Cohort(
                cohort=first_day(number, spec.interval),
                size=size,
                metrics={name: metrics[name] for name in spec.metrics},
                cells=cells,
            )
        )
    return CohortResult(
        cohorts=tuple(cohorts),
        overall=_overall(cohorts, spec, {name: found[None] for name, found in money.items()}),
        by=spec.by if spec.start_event is None else spec.start_event,
        return_event=spec.return_event,
        interval=spec.interval,
        kind=spec.kind,
        period=spec.period,
        currency=reporting_currency(engine) if money else None,
        as_of=spec.now,
        tz=spec.tz,
        start=spec.start,
        end=spec.end,
    )


def _days(metrics: Iterable[str]) -> dict[str, int]:
    """The day of each metric that is a retention."""
    return {metric: int(metric.removeprefix("retention_d")) for metric in metrics if metric not in MEASURES}


def _cells(numbers: Iterable[int], elapsed: Counter[int], active: Counter[int], kind: Kind) -> tuple[Cell, ...]:
    size = elapsed.total()
    cells = []
    for number in numbers:
        if kind == "on":
            n = active[number]
        elif kind == "on_or_after":
            n = sum(persons for last, persons in active.items() if last >= number)
        else:
            n = sum(persons for first, persons in active.items() if first <= number)
        mature = sum(persons for over, persons in elapsed.items() if over > number)
        is_complete = mature == size
        low, high = wilson(n, size) if is_complete else (None, None)
        cells.append(
            Cell(
                period=number,
                n=n,
                mature=mature,
                rate=n / size if is_complete else None,
                complete=is_complete,
                low=low,
                high=high,
            )
        )
    return tuple(cells)


def _overall(cohorts: list[Cohort], spec: CohortSpec, money: Mapping[str, Amount]) -> Overall:
    """Each period over the cohorts that have completed it, both above and below the line; money over all members."""
    most = max((len(cohort.cells) for cohort in cohorts), default=0)
    retention = {
        metric: _overall_cell(
            day, [(cohort.size, cell) for cohort in cohorts if isinstance(cell := cohort.metrics[metric], Cell)]
        )
        for metric, day in _days(spec.metrics).items()
    }
    metrics: dict[str, OverallCell | Amount] = {**retention, **money}
    return Overall(
        size=sum(cohort.size for cohort in cohorts),
        metrics={metric: metrics[metric] for metric in spec.metrics},
        cells=tuple(
            _overall_cell(
                number, [(cohort.size, cohort.cells[number]) for cohort in cohorts if number < len(cohort.cells)]
            )
            for number in range(most)
        ),
    )


def _overall_cell(number: int, cells: list[tuple[int, Cell]]) -> OverallCell:
    complete = [(size, cell.n) for size, cell in cells if cell.complete]
    size, n = sum(size for size, _ in complete), sum(n for _, n in complete)
    low, high = wilson(n, size) if size else (None, None)
    return OverallCell(
        period=number,
        n=n,
        size=size,
        cohorts=len(complete),
        rate=n / size if size else None,
        mean=sum(n / size for size, n in complete) / len(complete) if complete else None,
        low=low,
        high=high,
    )
