"""The segments of a project beside what the published build knows of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from analytics.table import Column, Sheet, Table, minute
from models.base import Moment, Shape
from pipeline.origin import definition_hashes
from pipeline.plan import Plan
from pipeline.project import Project
from warehouse import debuglog
from warehouse.duck import connect
from warehouse.reader import Warehouse, current_generation, open_warehouse

_BUILT = """select segment.segment_id, segment.name, segment.definition_hash, count(stay.person_key)
from segment
left join segment_stay as stay
    on segment.segment_id = stay.segment_id
    and stay.entered_at <= $as_of
    and (stay.exited_at is null or stay.exited_at > $as_of)
group by all"""
_EVALUATED = """select
    segment.segment_id,
    count(stay.person_key),
    count(stay.person_key) filter (
        where stay.entered_at <= $as_of and (stay.exited_at is null or stay.exited_at > $as_of)
    )
from segment
left join segment_stay as stay on segment.segment_id = stay.segment_id
group by segment.segment_id
order by segment.segment_id"""


class _Built(NamedTuple):
    name: str
    definition_hash: str
    size: int


class ListedSegment(Shape):
    """A segment: its size in the published build, null where that does not know it, and whether that is up to date."""

    segment_id: str
    name: str
    size: int | None
    state: Literal["built", "changed", "not built", "removed"]
    description: str | None


class SegmentList(Shape):
    """All segments that are defined or published; ``as_of`` is that of the sizes, null before the first build."""

    segments: tuple[ListedSegment, ...]
    as_of: Moment | None

    def table(self) -> Sheet:
        """One screen."""
        when = f"Sizes as of {minute(self.as_of)} UTC." if self.as_of else "Nothing is built yet: run gdp build."
        waits = any(one.state != "built" for one in self.segments)
        hint = ("gdp build brings the others up to date.",) if self.as_of and waits else ()
        return Sheet("Segments", (when, *hint), (self.records(),))

    def records(self) -> Table:
        """One row per segment."""
        return Table(
            (Column("segment"), Column("size", "count"), Column("state"), Column("name"), Column("description")),
            tuple((one.segment_id, one.size, one.state, one.name, one.description) for one in self.segments),
        )


def list_segments(project: Project) -> SegmentList:
    """The segments of the definitions, and those of the published build that are defined no more, by id.

    Raises:
        UsageError: if a definition is not acceptable or there is no home.
        GdpError: if a build is there that cannot be read.
    """
    definitions, home = project.definitions(), project.existing_home()
    built: dict[str, _Built] = {}
    as_of = None
    if current_generation(home) is not None:
        with open_warehouse(home) as warehouse:
            built, as_of = _built(warehouse), warehouse.as_of
    hashes = definition_hashes(definitions)
    found = {
        name: ListedSegment(segment_id=name, name=one.name, size=one.size, state="removed", description=None)
        for name, one in built.items()
    }
    for segment in definitions.segments:
        name = segment.segment_id
        published = built.get(name)
        is_same = published is not None and published.definition_hash == hashes[f"segment:{name}"]
        found[name] = ListedSegment(
            segment_id=name,
            name=segment.name,
            size=published.size if published else None,
            state="built" if is_same else "changed" if published else "not built",
            description=segment.description,
        )
    return SegmentList(segments=tuple(found[name] for name in sorted(found)), as_of=as_of)


def tell_evaluated(path: Path, plan: Plan) -> None:
    """Tell debug mode what a build made of each segment: for everybody, or for the persons that new rows touch."""
    if not debuglog.is_on("segments"):
        return
    with connect(path, read_only=True) as connection:
        rows = connection.execute(_EVALUATED, {"as_of": plan.as_of}).fetchall()
    for segment_id, stays, members in rows:
        is_whole = plan.is_full_refresh or segment_id in plan.changed_segments
        debuglog.tell(
            "segments",
            "segment_evaluated",
            segment_id=segment_id,
            persons="everybody" if is_whole else "touched",
            stays=stays,
            members=members,
            as_of=plan.as_of,
            generation=plan.generation,
        )


def _built(warehouse: Warehouse) -> dict[str, _Built]:
    return {
        segment_id: _Built(name, definition_hash, size)
        for segment_id, name, definition_hash, size in warehouse.rows(_BUILT, {"as_of": warehouse.as_of})
    }
