"""Who entered a segment and who left it between two moments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from analytics.names import require_segments
from analytics.query import Engine
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape
from models.errors import UsageError

_DIFF = """with stay as (
    select person_key, entered_at, exited_at
    from segment_stay
    where segment_id = $segment_id and entered_at <= $until
),
old as (
    select distinct person_key from stay
    where entered_at <= $since and (exited_at is null or exited_at > $since)
),
new as (
    select distinct person_key from stay
    where exited_at is null or exited_at > $until
)
select profile.person_id, old.person_key is not null, new.person_key is not null
from old
full join new on old.person_key = new.person_key
inner join intermediate.int_person__profile as profile
    on profile.person_key = coalesce(old.person_key, new.person_key)
order by profile.person_id"""


class DiffResult(Shape):
    """Who was in a segment at one moment only: at the later one (entered) or at the earlier one (left)."""

    segment_id: str
    start: Moment
    end: Moment
    size_before: int
    size_after: int
    entered: tuple[str, ...]
    left: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md."""
        shape = self.model_dump(mode="json", by_alias=True)
        return {"segmentId": shape.pop("segmentId"), "from": shape.pop("start"), "to": shape.pop("end"), **shape}

    def table(self) -> Sheet:
        """One screen."""
        found = self.records()
        before, entered, left, after = self.size_before, len(self.entered), len(self.left), self.size_after
        return Sheet(
            f"Segment {self.segment_id} from {minute(self.start)} to {minute(self.end)} UTC",
            (f"In it before: {before:,}; entered: {entered:,}; left: {left:,}; after: {after:,}.",),
            (first_rows(found.columns, found.rows, what="persons"),),
        )

    def records(self) -> Table:
        """One row per person who entered or left."""
        rows = [(person, "entered") for person in self.entered] + [(person, "left") for person in self.left]
        return Table((Column("person_id"), Column("change")), tuple(rows))


def diff(engine: Engine, segment_id: str, start: datetime, end: datetime) -> DiffResult:
    """Compare who is in a segment at two moments, by the published build; who came and went between them is in neither.

    Raises:
        UsageError: for an unknown segment, or moments in the wrong order.
    """
    require_segments(engine, [segment_id])
    if start >= end:
        raise UsageError(f"--from {start.isoformat()} is not before --to {end.isoformat()}")
    rows = engine.rows(_DIFF, {"segment_id": segment_id, "since": start, "until": end})
    return DiffResult(
        segment_id=segment_id,
        start=start,
        end=end,
        size_before=sum(before for _, before, _ in rows),
        size_after=sum(after for _, _, after in rows),
        entered=tuple(person for person, before, _ in rows if not before),
        left=tuple(person for person, _, after in rows if not after),
    )
