"""The stages of a funnel as SQL steps: from every event of the first stage, the earliest event of the next, and so on.

For one attempt no other choice gets further or gets there sooner. An event may not fill two stages. That matters only
for events of one moment, because otherwise the next stage lies later: at one moment, the stages filled there need as
many events as there are stages, for every group of stages (the marriage theorem). A stage that shares no event type
with an earlier one needs no such count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Literal

from analytics import dialect
from analytics.duration import Duration
from analytics.query import Step
from models.errors import UsageError

#: ``asof``: DuckDB's ASOF join. ``window``: window functions only, for other engines.
Form = Literal["asof", "window"]
MAX_OVERLAPPING = 6


@dataclass(frozen=True)
class Origin:
    """Where the value of a breakdown comes from."""

    table: Literal["person", "event", "property"]
    name: str


@dataclass(frozen=True)
class Shape:
    """All that decides the text of the query."""

    stages: tuple[tuple[str, ...], ...]
    window: Duration
    as_of: datetime
    start: datetime | None
    end: datetime | None
    origin: Origin | None
    form: Form


class Attempts:
    """The steps from the log to attempts: step ``stage_k`` has those that reached stage k and their times t_1 … t_k."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.depth = len(shape.stages)
        self.sets = [frozenset(stage) for stage in shape.stages]
        self.type_marker = {
            name: f"$event_type_{number}"
            for number, name in enumerate(dict.fromkeys(name for stage in shape.stages for name in stage), start=1)
        }
        self.unions = {stage: self._unions(stage) for stage in range(2, self.depth + 1)}
        #: Whether an attempt has to remember the type of its entry.
        self.is_typed = any(
            self.sets[0] & union and not self.sets[0] <= union for unions in self.unions.values() for union in unions
        )

    def steps(self) -> list[Step]:
        """All of them, in order."""
        return [self._entry(), *(step for stage in range(2, self.depth + 1) for step in self._stage(stage))]

    def types(self, names: frozenset[str]) -> str:
        """Event types as an SQL list of markers."""
        return "(" + ", ".join(sorted(marker for name, marker in self.type_marker.items() if name in names)) + ")"

    def _entry(self) -> Step:
        typed = ", event_type as entry_type" if self.is_typed else ""
        return Step(
            "entry",
            f"select person_key, occurred_at as t_1{typed}\n{self._from_event(self.sets[0], is_entry=True)}",
        )

    def _from_event(self, names: frozenset[str], *, is_entry: bool = False) -> str:
        where = [f"event_type in {self.types(names)}", "person_key is not null"]
        if self.shape.start:
            where.append("occurred_at >= $start_at")
        if is_entry and self.shape.end:
            where.append("occurred_at < $end_at")
        where.append("occurred_at <= $as_of" if is_entry else "occurred_at <= $last_at")
        return "from event\nwhere " + "\n    and ".join(where)

    def _stage(self, stage: int) -> list[Step]:
        before = "entry" if stage == 2 else f"stage_{stage - 1}"
        carried = ", ".join(f"attempt.{name}" for name in ("person_key", *self._carried(stage - 1)))
        within = dialect.after("attempt.t_1", self.shape.window)
        if not self.unions[stage]:
            return [
                Step(
                    f"stage_{stage}_event",
                    f"select person_key, occurred_at\n{self._from_event(self.sets[stage - 1])}",
                ),
                *self._next(stage, before, f"stage_{stage}_event"),
                Step(
                    f"stage_{stage}",
                    f"select {carried}, attempt.next_at as t_{stage}\n"
                    f"from stage_{stage}_next as attempt\nwhere attempt.next_at <= {within}",
                ),
            ]
        return [
            self._moment(stage),
            *self._next(stage, before, f"stage_{stage}_moment"),
            Step(f"stage_{stage}_filled", self._filled(stage, carried)),
            Step(
                f"stage_{stage}",
                f"select {carried}, attempt.t_{stage}\n"
                f"from stage_{stage}_filled as attempt\nwhere attempt.t_{stage} <= {within}",
            ),
        ]

    def _carried(self, stage: int) -> list[str]:
        """The columns of an attempt that has reached a stage, without the person."""
        return [*(["entry_type"] if self.is_typed else []), *(f"t_{number}" for number in range(1, stage + 1))]

    def _next(self, stage: int, before: str, events: str) -> list[Step]:
        """The earliest moment at or after the stage before at which an event of this stage lies."""
        names = ("person_key", *self._carried(stage - 1))
        if self.shape.form == "asof":
            carried = ", ".join(f"attempt.{name}" for name in names)
            select = (
                f"select {carried}, found.occurred_at as next_at\nfrom {before} as attempt\n"
                f"asof join {events} as found\n    on attempt.person_key = found.person_key\n"
                f"    and found.occurred_at >= attempt.t_{stage - 1}"
            )
            return [Step(f"stage_{stage}_next", select)]
        carried = ", ".join(names)
        empty = ", ".join("null" for _ in self._carried(stage - 1))
        either = (
            f"select {carried}, t_{stage - 1} as moment_at, null as event_at\nfrom {before}\nunion all\n"
            f"select person_key, {empty}, occurred_at, occurred_at\nfrom {events}"
        )
        # The frame of a range begins with the peers of the row, so an event of the same moment is seen.
        ahead = (
            f"select\n    {carried},\n    event_at,\n    min(event_at) over (\n"
            "        partition by person_key order by moment_at\n"
            "        range between current row and unbounded following\n    ) as next_at\n"
            f"from stage_{stage}_either"
        )
        attempts = (
            f"select {carried}, next_at\nfrom stage_{stage}_ahead\nwhere event_at is null and next_at is not null"
        )
        return [
            Step(f"stage_{stage}_either", either),
            Step(f"stage_{stage}_ahead", ahead),
            Step(f"stage_{stage}_next", attempts),
        ]

    def _unions(self, stage: int) -> list[frozenset[str]]:
        """The sets of event types whose events at one moment have to be counted before a stage is filled there."""
        own = self.sets[stage - 1]
        if not any(own & earlier for earlier in self.sets[: stage - 1]):
            return []
        linked = {own}
        while grown := {
            earlier
            for earlier in self.sets[1 : stage - 1]
            if earlier not in linked and any(earlier & other for other in linked)
        }:
            linked |= grown
        others = sorted(linked - {own}, key=sorted)
        if len(others) >= MAX_OVERLAPPING:
            raise UsageError(
                f"stages up to {stage} overlap in part in too many ways: "
                f"at most {MAX_OVERLAPPING} different stages may share event types"
            )
        found = {own.union(*chosen) for size in range(len(others) + 1) for chosen in combinations(others, size)}
        return sorted(found, key=lambda union: (len(union), sorted(union)))

    def _moment(self, stage: int) -> Step:
        """One row per person and moment with an event of the stage: how many there are, and the moment after it."""
        unions = self.unions[stage]
        counts = "".join(
            f",\n    count(*) filter (where event_type in {self.types(union)}) as events_{number}"
            for number, union in enumerate(unions, start=1)
        )
        return Step(
            f"stage_{stage}_moment",
            "select\n    person_key,\n    occurred_at,\n"
            "    lead(occurred_at) over (partition by person_key order by occurred_at) as later_at"
            f"{counts}\n{self._from_event(frozenset().union(*unions))}\n"
            "group by person_key, occurred_at\n"
            f"having count(*) filter (where event_type in {self.types(self.sets[stage - 1])}) > 0",
        )

    def _filled(self, stage: int, carried: str) -> str:
        """The moment found, or the one after it if its events are used up by earlier stages of the attempt."""
        enough = "\n            and ".join(
            f"found.events_{number} > {self._used(stage, union)}"
            for number, union in enumerate(self.unions[stage], start=1)
        )
        return (
            f"select\n    {carried},\n    case\n"
            f"        when attempt.next_at > attempt.t_{stage - 1} then attempt.next_at\n"
            f"        when {enough} then attempt.next_at\n        else found.later_at\n    end as t_{stage}\n"
            f"from stage_{stage}_next as attempt\ninner join stage_{stage}_moment as found\n"
            "    on attempt.person_key = found.person_key\n    and attempt.next_at = found.occurred_at"
        )

    def _used(self, stage: int, union: frozenset[str]) -> str:
        """How many of a moment's events of these types earlier stages have taken."""
        taken = []
        for earlier in range(1, stage):
            same = f"attempt.t_{earlier} = attempt.t_{stage - 1}" if earlier < stage - 1 else ""
            if earlier > 1 and not self.sets[earlier - 1] <= union:
                continue
            if earlier == 1:
                if not self.sets[0] & union:
                    continue
                if not self.sets[0] <= union:
                    # The entry is a given event: what counts is its own type, not what else might have begun.
                    typed = f"attempt.entry_type in {self.types(union)}"
                    same = f"{same} and {typed}" if same else typed
            taken.append(f"case when {same} then 1 else 0 end" if same else "1")
        return "(" + " + ".join(taken or ["0"]) + ")"
