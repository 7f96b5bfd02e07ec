"""The answer to a funnel, and how it is shown."""

from __future__ import annotations

import re
from typing import Any

from analytics.table import Column, Sheet, Table, first_rows, minute, percent
from models.base import Moment, Shape

MISSING = "missing"
_LIKE_MISSING = re.compile(r"missing( \(value\))*")
_SOURCES = ("source", "utm_source")


class StageResult(Shape):
    """A stage: how many people reached it, of the first stage and of the one before, and how long it took them.

    Times are those of each person's deciding attempt, in seconds; the first stage has none.
    """

    name: str
    count: int
    rate: float | None
    rate_from_previous: float | None
    lost: int
    median_seconds: float | None
    p90_seconds: float | None
    median_seconds_from_previous: float | None
    p90_seconds_from_previous: float | None


class MatureStage(Shape):
    """A stage among the entrants whose every window has run out."""

    name: str
    count: int
    rate: float | None
    rate_from_previous: float | None


class MatureRates(Shape):
    """The funnel of the ``n`` entrants whose every window has run out by as_of, converted or not."""

    n: int
    stages: tuple[MatureStage, ...]
    conversion_rate: float | None


class FunnelPart(Shape):
    """The funnel of some people: all of them, or one value of a breakdown."""

    stages: tuple[StageResult, ...]
    conversion_rate: float | None
    dropoff_stage: int | None
    mature: MatureRates
    immature: int
    converted_early: int

    @property
    def counts(self) -> tuple[int, ...]:
        """People at each stage."""
        return tuple(stage.count for stage in self.stages)

    @property
    def entrants(self) -> int:
        """People at the first stage."""
        return self.stages[0].count


class FunnelResult(FunnelPart):
    """A funnel with its breakdown (None is the bucket of those without a value) and the question it answers."""

    by: str | None
    breakdown: dict[str | None, FunnelPart] | None
    window: str
    as_of: Moment
    tz: str
    start: Moment | None
    end: Moment | None

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md."""
        found = self.model_dump(mode="json", by_alias=True, exclude={"breakdown"})
        asked = {
            "window": self.window,
            "asOf": found["asOf"],
            "tz": self.tz,
            "from": found["start"],
            "to": found["end"],
            "by": self.by,
        }
        answer = {name: value for name, value in found.items() if name not in {*asked, "start", "end"}}
        if self.breakdown is None:
            return {**answer, **asked}
        key = "bySource" if self.by in _SOURCES else "breakdown"
        parts = {
            bucket_name(value): part.model_dump(mode="json", by_alias=True) for value, part in self.breakdown.items()
        }
        return {**answer, **asked, key: parts}

    def table(self) -> Sheet:
        """One screen: the stages, and the breakdown below them."""
        stages = tuple(_stage_row(number, stage) for number, stage in enumerate(self.stages, start=1))
        tables = [Table(_STAGE_COLUMNS, stages)]
        if self.breakdown is not None:
            columns = (
                Column(str(self.by)),
                *(Column(str(number), "count") for number in range(1, len(self.stages) + 1)),
                Column("rate", "rate"),
                Column("mature rate", "rate"),
                Column("mature", "count"),
            )
            rows = tuple(
                (bucket_name(value), *part.counts, part.conversion_rate, part.mature.conversion_rate, part.mature.n)
                for value, part in self.breakdown.items()
            )
            tables.append(first_rows(columns, rows, what="values"))
        return Sheet("Funnel: " + " → ".join(stage.name for stage in self.stages), self._lines(), tuple(tables))

    def _lines(self) -> tuple[str, ...]:
        drop = f"; most are lost before {self.stages[self.dropoff_stage].name}" if self.dropoff_stage else ""
        lines = [
            f"In order, within {self.window} of the first stage; as of {minute(self.as_of)} UTC.",
            *_range(self.start, self.end),
        ]
        if not self.entrants:
            return (*lines, f"Nobody entered: there is no {self.stages[0].name} by then.")
        lines += [
            f"Conversion {percent(self.conversion_rate)} of {self.entrants:,}{drop}.",
            f"Mature (every window has run out): {percent(self.mature.conversion_rate)} of {self.mature.n:,}.",
            f"Of the others {self.immature:,} may still convert, {self.converted_early:,} already have.",
            "median, p90: time since the first stage; step: median time since the one before.",
        ]
        if self.breakdown is not None and set(self.breakdown) == {None}:
            lines.append(f"Nobody has a value of {self.by}; a person's first touch is --by source.")
        return tuple(lines)

    def records(self) -> Table:
        """One row per part and stage, for files: ``breakdown`` is null in the rows of everybody."""
        rows = [(None, None, *row) for row in _records(self)]
        for value, part in (self.breakdown or {}).items():
            rows += [(self.by, value, *row) for row in _records(part)]
        return Table(_RECORD_COLUMNS, tuple(rows))


def bucket_name(value: str | None) -> str:
    """The key of a bucket; a value that happens to be called 'missing' is told from the missing ones."""
    if value is None:
        return MISSING
    return f"{value} (value)" if _LIKE_MISSING.fullmatch(value) else value


_STAGE_COLUMNS = (
    Column("stage"),
    Column("people", "count"),
    Column("rate", "rate"),
    Column("of prev", "rate"),
    Column("lost", "count"),
    Column("median", "seconds"),
    Column("p90", "seconds"),
    Column("step", "seconds"),
)
_RECORD_COLUMNS = (
    Column("breakdown"),
    Column("value"),
    Column("stage_number", "count"),
    Column("stage"),
    Column("count", "count"),
    Column("rate", "rate"),
    Column("rate_from_previous", "rate"),
    Column("lost", "count"),
    Column("median_seconds", "number"),
    Column("p90_seconds", "number"),
    Column("median_seconds_from_previous", "number"),
    Column("p90_seconds_from_previous", "number"),
    Column("mature_count", "count"),
    Column("mature_rate", "rate"),
    Column("mature_n", "count"),
    Column("immature", "count"),
    Column("converted_early", "count"),
)


def _stage_row(number: int, stage: StageResult) -> tuple[Any, ...]:
    return (
        f"{number} {stage.name}",
        stage.count,
        stage.rate,
        stage.rate_from_previous,
        stage.lost,
        stage.median_seconds,
        stage.p90_seconds,
        stage.median_seconds_from_previous,
    )


def _records(part: FunnelPart) -> list[tuple[Any, ...]]:
    return [
        (
            number,
            stage.name,
            stage.count,
            stage.rate,
            stage.rate_from_previous,
            stage.lost,
            stage.median_seconds,
            stage.p90_seconds,
            stage.median_seconds_from_previous,
            stage.p90_seconds_from_previous,
            mature.count,
            mature.rate,
            part.mature.n,
            part.immature,
            part.converted_early,
        )
        for number, (stage, mature) in enumerate(zip(part.stages, part.mature.stages, strict=True), start=1)
    ]


def _range(start: Moment | None, end: Moment | None) -> list[str]:
    if start is None and end is None:
        return []
    first = f" from {minute(start)}" if start else ""
    last = f" before {minute(end)}" if end else ""
    return [f"Entered{first}{last} UTC."]
