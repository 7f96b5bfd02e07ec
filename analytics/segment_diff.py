"""Who entered a segment and who left it between two moments, or would by another definition."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from analytics.names import require_past, require_segments
from analytics.query import Engine
from analytics.segment_leaves import PUBLISHED
from analytics.segment_rules import compile_segment
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape
from models.errors import UsageError
from models.segment import SegmentDefinition

_DIFF = """with old as ({old}),
new as ({new})
select profile.person_id, old.person_key is not null, new.person_key is not null
from old
full join new on old.person_key = new.person_key
inner join intermediate.int_person__profile as profile
    on profile.person_key = coalesce(old.person_key, new.person_key)
order by profile.person_id"""
_IN_IT = """select distinct person_key from {stays}
    where {condition}entered_at <= ${moment} and (exited_at is null or exited_at > ${moment})"""


class DiffResult(Shape):
    """Who was in a segment at one moment only: at the later one (entered) or at the earlier one (left).

    Where two definitions are compared, both are of one moment, and the other definition counts as the later one.
    """

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
        span = f"from {minute(self.start)} to" if self.start < self.end else "by two definitions,"
        return Sheet(
            f"Segment {self.segment_id} {span} {minute(self.end)} UTC",
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
    require_past(engine, segment_id)
    if start >= end:
        raise UsageError(f"--from {start.isoformat()} is not before --to {end.isoformat()}")
    sql = _DIFF.format(old=_published("since"), new=_published("until"))
    rows = engine.rows(sql, {"segment_id": segment_id, "since": start, "until": end})
    return _result(segment_id, start, end, rows)


def diff_definition(
    engine: Engine, segment_id: str, definition: SegmentDefinition, known: Collection[SegmentDefinition]
) -> DiffResult:
    """Compare who is in a segment at the build's now with whom another definition holds then.

    Args:
        engine: an open warehouse.
        segment_id: the published segment.
        definition: the other definition, whatever its id.
        known: all segments that it may ask for, itself among them.

    Raises:
        UsageError: for an unknown segment, or segments that the definition asks for in vain.
    """
    require_segments(engine, [segment_id])
    stays = f"({compile_segment(definition, PUBLISHED, known)}) as stay"
    drafted = _IN_IT.format(stays=stays, condition="", moment="now")
    sql = _DIFF.format(old=_published("now"), new=drafted)
    rows = engine.rows(sql, {"segment_id": segment_id, "now": engine.as_of})
    return _result(segment_id, engine.as_of, engine.as_of, rows)


def _published(moment: str) -> str:
    return _IN_IT.format(stays="segment_stay", condition="segment_id = $segment_id and ", moment=moment)


def _result(segment_id: str, start: datetime, end: datetime, rows: Sequence[tuple[Any, ...]]) -> DiffResult:
    return DiffResult(
        segment_id=segment_id,
        start=start,
        end=end,
        size_before=sum(before for _, before, _ in rows),
        size_after=sum(after for _, _, after in rows),
        entered=tuple(person for person, before, _ in rows if not before),
        left=tuple(person for person, _, after in rows if not after),
    )
