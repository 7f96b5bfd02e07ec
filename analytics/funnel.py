"""How far people get through a sequence of stages, and how fast."""

from __future__ import annotations

import itertools
import re
from typing import Any

from pydantic import Field, field_validator

from analytics.duration import Duration
from analytics.funnel_result import FunnelPart, FunnelResult, MatureRates, MatureStage, StageResult
from analytics.funnel_sql import funnel_query
from analytics.funnel_stages import Form, Origin, Shape
from analytics.names import require_event_types, require_property
from analytics.query import Engine, Query
from analytics.spec import ReportSpec, at_build, event_types, name_of
from analytics.statistic import share
from models.errors import GdpError, nearest

MAX_STAGES = 20
PERSON_COLUMNS = (
    "source",
    "medium",
    "campaign",
    "company",
    "industry",
    "status",
    "usage_status",
    "billing_status",
    "segment",
    "cohort",
)
EVENT_COLUMNS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
_PROPERTY = "properties."


class FunnelSpec(ReportSpec):
    """Stages in order (``a|b``: either event), a window from the first one, and what to break down by.

    The range (``start``, ``end``) selects the first event; later stages may lie after it.
    """

    stages: tuple[str, ...]
    window: Duration = Duration(30, "d")
    by: str | None = Field(default=None, description="A person column, a utm column, or properties.NAME.")

    @field_validator("stages")
    @classmethod
    def _stages_are_named(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        if not 2 <= len(stages) <= MAX_STAGES:
            raise ValueError(f"a funnel has 2 to {MAX_STAGES} stages; given: {len(stages)}")
        return tuple("|".join(event_types(stage)) for stage in stages)

    @field_validator("by")
    @classmethod
    def _breakdown_is_known(cls, by: str | None) -> str | None:
        if by is None:
            return by
        if by.startswith(_PROPERTY):
            return _PROPERTY + name_of("a property", by.removeprefix(_PROPERTY))
        name = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", by).lower()
        if name not in PERSON_COLUMNS + EVENT_COLUMNS:
            hint = nearest(name, PERSON_COLUMNS + EVENT_COLUMNS)
            raise ValueError(f"cannot break down by {by!r} ({hint}; an event's own property is properties.NAME)")
        return name

    @property
    def origin(self) -> Origin | None:
        """Where the breakdown's value is read."""
        if self.by is None:
            return None
        if self.by.startswith(_PROPERTY):
            return Origin("property", self.by.removeprefix(_PROPERTY))
        return Origin("person" if self.by in PERSON_COLUMNS else "event", self.by)


def query(spec: FunnelSpec, *, form: Form = "asof") -> Query:
    """The funnel as named SQL steps; see ``analytics.funnel_stages`` for the two forms."""
    return funnel_query(
        Shape(
            stages=tuple(tuple(stage.split("|")) for stage in spec.stages),
            window=spec.window,
            as_of=spec.now,
            start=spec.start,
            end=spec.end,
            origin=spec.origin,
            form=form,
        )
    )


def prepare(engine: Engine, spec: FunnelSpec) -> FunnelSpec:
    """Fill in the build's now, and refuse stages that never happened and properties that their entries never had.

    Raises:
        UsageError: for an unknown event type or property, with the nearest names.
    """
    spec = at_build(spec, engine)
    require_event_types(engine, [name for stage in spec.stages for name in stage.split("|")], what="event type")
    if spec.origin is not None and spec.origin.table == "property":
        require_property(engine, spec.origin.name, spec.stages[0].split("|"))
    return spec


def run(engine: Engine, spec: FunnelSpec, *, form: Form = "asof") -> FunnelResult:
    """Answer a funnel.

    Raises:
        UsageError: for an unknown event type.
        GdpError: if the answer breaks one of a funnel's invariants.
    """
    spec = prepare(engine, spec)
    rows = query(spec, form=form).run(engine)
    whole = _part(spec, [row for row in rows if row["is_total"]])
    buckets: dict[str | None, list[dict[str, Any]]] = {}
    for row in rows:
        if not row["is_total"]:
            buckets.setdefault(row["bucket"], []).append(row)
    parts = {value: _part(spec, found) for value, found in buckets.items()}
    breakdown = dict(sorted(parts.items(), key=lambda item: (-item[1].entrants, item[0] is None, item[0] or "")))
    _check(whole, breakdown if spec.by else None)
    return FunnelResult(
        **dict(whole),
        by=spec.by,
        breakdown=breakdown if spec.by else None,
        window=str(spec.window),
        as_of=spec.now,
        tz=spec.tz,
        start=spec.start,
        end=spec.end,
    )


def _part(spec: FunnelSpec, rows: list[dict[str, Any]]) -> FunnelPart:
    """One whole funnel from its rows: one per stage that anybody reached."""
    by_stage = {row["stage"]: row for row in rows}
    counts = [by_stage[stage]["entrants"] if stage in by_stage else 0 for stage in range(1, len(spec.stages) + 1)]
    closed = [by_stage[stage]["closed"] if stage in by_stage else 0 for stage in range(1, len(spec.stages) + 1)]
    if any(row["persons"] != row["entrants"] for row in rows):
        raise GdpError("internal error: the funnel counted a person twice")
    stages = []
    for number, name in enumerate(spec.stages, start=1):
        row = by_stage.get(number, {})
        timed = row if number > 1 else {}
        before = counts[number - 2] if number > 1 else counts[0]
        stages.append(
            StageResult(
                name=name,
                count=counts[number - 1],
                rate=share(counts[number - 1], counts[0]),
                rate_from_previous=share(counts[number - 1], before) if number > 1 else None,
                lost=before - counts[number - 1],
                median_seconds=_seconds(timed.get("median_since_first")),
                p90_seconds=_seconds(timed.get("p90_since_first")),
                median_seconds_from_previous=_seconds(timed.get("median_since_previous")),
                p90_seconds_from_previous=_seconds(timed.get("p90_since_previous")),
            )
        )
    losses = [stage.lost for stage in stages[1:]]
    first = by_stage.get(1, {})
    return FunnelPart(
        stages=tuple(stages),
        conversion_rate=share(counts[-1], counts[0]),
        dropoff_stage=losses.index(max(losses)) + 1 if counts[0] else None,
        mature=MatureRates(
            n=closed[0],
            stages=tuple(
                MatureStage(
                    name=name,
                    count=closed[number],
                    rate=share(closed[number], closed[0]),
                    rate_from_previous=share(closed[number], closed[number - 1]) if number else None,
                )
                for number, name in enumerate(spec.stages)
            ),
            conversion_rate=share(closed[-1], closed[0]),
        ),
        immature=first.get("immature", 0),
        converted_early=first.get("converted_early", 0),
    )


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1_000_000


def _check(whole: FunnelPart, breakdown: dict[str | None, FunnelPart] | None) -> None:
    """What is true of every funnel; a number that breaks one of these is never shown.

    Raises:
        GdpError: naming the invariant.
    """
    for part in (whole, *(breakdown or {}).values()):
        counts, mature = part.counts, tuple(stage.count for stage in part.mature.stages)
        if any(later > earlier for numbers in (counts, mature) for earlier, later in itertools.pairwise(numbers)):
            raise GdpError(f"internal error: a funnel's counts rise: {counts}, mature {mature}")
        if part.mature.n + part.immature + part.converted_early != part.entrants:
            raise GdpError("internal error: mature, immature and early entrants are not all entrants")
    if breakdown is None:
        return
    for stage, count in enumerate(whole.counts):
        if sum(part.counts[stage] for part in breakdown.values()) != count:
            raise GdpError(f"internal error: the parts of stage {stage + 1} do not add up to {count}")
