"""Who entered and left a segment when; of one person, which segments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from analytics.names import require_past
from analytics.query import Engine
from analytics.segment_members import owner_of
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape
from models.errors import UsageError

_CHANGES = """with stay as (
    select segment_id, person_key, entered_at, exited_at
    from segment_stay
    where {which}
),
change as (
    select segment_id, person_key, entered_at as changed_at, 'entered' as change from stay
    union all
    select segment_id, person_key, exited_at, 'left' from stay
    where exited_at is not null
)
select change.changed_at, change.change, change.segment_id, profile.person_id
from change
inner join intermediate.int_person__profile as profile on change.person_key = profile.person_key
where change.changed_at >= $since and change.changed_at {until} $until
order by change.changed_at desc, change.change desc, change.segment_id, profile.person_id"""
_EVER = "-infinity"


class Change(Shape):
    """Somebody entered or left a segment."""

    at: Moment
    change: Literal["entered", "left"]
    segment_id: str
    person_id: str


class HistoryResult(Shape):
    """Every entry and exit of a segment or a person, the latest first; ``start`` is null for all there ever were."""

    segment_id: str | None
    person: str | None
    start: Moment | None
    end: Moment
    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md."""
        shape = self.model_dump(mode="json", by_alias=True)
        changes = shape.pop("changes")
        return {"from": shape.pop("start"), "to": shape.pop("end"), **shape, "changes": changes}

    def table(self) -> Sheet:
        """One screen."""
        whose = " and ".join(name for name in (self.person, self.segment_id and f"segment {self.segment_id}") if name)
        entered = sum(one.change == "entered" for one in self.changes)
        since = f"from {minute(self.start)} " if self.start else ""
        found = self.records()
        return Sheet(
            f"History of {whose}",
            (f"Entered: {entered:,}; left: {len(self.changes) - entered:,}; {since}to {minute(self.end)} UTC.",),
            (first_rows(found.columns, found.rows, what="changes"),) if self.changes else (),
        )

    def records(self) -> Table:
        """One row per entry or exit."""
        columns = (Column("at", "time"), Column("change"), Column("segment_id"), Column("person_id"))
        return Table(columns, tuple((one.at, one.change, one.segment_id, one.person_id) for one in self.changes))


def history(
    engine: Engine,
    segment_id: str | None = None,
    person: str | None = None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> HistoryResult:
    """Every entry and exit in a range of time; up to the build's now, which counts, unless an end is given.

    Raises:
        UsageError: for an unknown segment or person, if neither is given, or a range that is empty.
    """
    if segment_id is None and person is None:
        raise UsageError("whose history? Give a segment, --person, or both")
    which = ["segment_id in (select segment_id from segment where has_history)"]
    params: dict[str, Any] = {}
    if segment_id is not None:
        require_past(engine, segment_id)
        which.append("segment_id = $segment_id")
        params["segment_id"] = segment_id
    if person is not None:
        which.append("person_key = $person_key")
        params["person_key"] = owner_of(engine, person)[1]
    is_over = end is not None and end <= engine.as_of
    until = end if end is not None and is_over else engine.as_of
    if start is not None and start >= until:
        raise UsageError(f"--from {start.isoformat()} is not before the end, {until.isoformat()}")
    sql = _CHANGES.format(which=" and ".join(which), until="<" if is_over else "<=")
    rows = engine.rows(sql, {**params, "since": start or _EVER, "until": until})
    return HistoryResult(
        segment_id=segment_id,
        person=person,
        start=start,
        end=until,
        changes=tuple(
            Change(at=at, change=change, segment_id=segment, person_id=person_id)
            for at, change, segment, person_id in rows
        ),
    )
