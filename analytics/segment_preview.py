"""Who a definition of a segment would hold, before it is built."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from analytics.query import Engine
from analytics.segment_leaves import PUBLISHED
from analytics.segment_rules import compile_segment
from analytics.segment_tree import tree_of
from analytics.segment_words import sentence
from analytics.statistic import share
from analytics.table import Column, Sheet, Table, first_rows, minute, percent
from models.base import Moment, Shape
from models.errors import UsageError
from models.segment import SegmentDefinition
from warehouse.debuglog import tell
from warehouse.segment_sql import segment_sql

#: Everybody whom the definition holds at as_of, in one statement with all that is asked of them.
_PREVIEW = """with draft as materialized (
    select person_key, entered_at
    from ({stays}) as stay
    where entered_at <= $as_of and (exited_at is null or exited_at > $as_of)
),
other as (
    select segment.segment_id, stay.person_key
    from segment
    left join segment_stay as stay
        on segment.segment_id = stay.segment_id
        and stay.entered_at <= $as_of
        and (stay.exited_at is null or stay.exited_at > $as_of)
    where segment.has_history or $is_now
),
overlap as (
    select other.segment_id, count(other.person_key) as size, count(draft.person_key) as both_in
    from other
    left join draft on other.person_key = draft.person_key
    group by other.segment_id
),
example as (
    select profile.person_id, draft.entered_at
    from draft
    inner join intermediate.int_person__profile as profile on draft.person_key = profile.person_key
    order by profile.person_id
    limit $examples
)
select 'size' as part, null as name, count(*) as size, null as both_in, null as entered_at from draft
union all
select 'persons', null, count(*), null, null from intermediate.int_person__stat where first_seen_at <= $as_of
union all
select 'overlap', segment_id, size, both_in, null from overlap
union all
select 'example', person_id, null, null, entered_at from example
order by part, name"""


class Example(Shape):
    """Somebody whom the definition holds, and since when."""

    person_id: str
    entered_at: Moment


class PreviewOverlap(Shape):
    """A published segment, and how many of its persons the definition holds."""

    segment_id: str
    size: int
    count: int
    of_preview: float | None
    of_segment: float | None


class PreviewResult(Shape):
    """A definition as of a moment; ``published`` compares it with the published segment of its id, if there is one."""

    segment_id: str
    says: str
    size: int
    percentage: float | None
    persons: int
    sample: tuple[Example, ...]
    published: PreviewOverlap | None
    overlaps: tuple[PreviewOverlap, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        lines = [
            self.says,
            f"As of {minute(self.as_of)} UTC: {self.size:,}, {percent(self.percentage)} of {self.persons:,} persons.",
        ]
        if self.published:
            enter, leave = self.size - self.published.count, self.published.size - self.published.count
            lines.append(f"Published: {self.published.size:,}; would enter: {enter:,}; would leave: {leave:,}.")
        overlaps = (
            Column("segment"),
            Column("size", "count"),
            Column("in both", "count"),
            Column("of these", "rate"),
            Column("of segment", "rate"),
        )
        rows = tuple((one.segment_id, one.size, one.count, one.of_preview, one.of_segment) for one in self.overlaps)
        examples = tuple((one.person_id, one.entered_at) for one in self.sample)
        return Sheet(
            f"Preview of segment {self.segment_id}",
            tuple(lines),
            (
                *((Table((Column("for example"), Column("since")), examples),) if examples else ()),
                *((first_rows(overlaps, rows, title="Other segments", what="segments"),) if rows else ()),
            ),
        )


def preview(
    engine: Engine,
    definition: SegmentDefinition,
    known: Collection[SegmentDefinition],
    *,
    as_of: datetime | None = None,
    examples: int = 5,
) -> PreviewResult:
    """Work a definition out for everybody, from what is published.

    Args:
        engine: an open warehouse.
        definition: whom to look for.
        known: all segments that it may ask for, itself among them.
        as_of: the moment; the build's now unless given.
        examples: how many persons to name.

    Raises:
        UsageError: for segments that are not known, or ask for each other, or a query without a past at another time.
    """
    now = as_of or engine.as_of
    stays = compile_segment(definition, PUBLISHED, known)
    if now != engine.as_of and definition.sql is not None and not segment_sql(definition.sql).has_history:
        raise UsageError("a query that gives persons alone is as of the build's now: leave out --as-of")
    params = {"as_of": now, "examples": examples, "is_now": now == engine.as_of}
    rows = engine.rows(_PREVIEW.format(stays=stays), params)
    counts = {part: count for part, _, count, _, _ in rows if part in {"size", "persons"}}
    size = counts["size"]
    overlaps = {
        name: PreviewOverlap(
            segment_id=name, size=of, count=both, of_preview=share(both, size), of_segment=share(both, of)
        )
        for part, name, of, both, _ in rows
        if part == "overlap"
    }
    published = overlaps.pop(definition.segment_id, None)
    tell("segments", "segment_previewed", segment_id=definition.segment_id, members=size, as_of=now)
    return PreviewResult(
        segment_id=definition.segment_id,
        says=sentence(tree_of(definition)),
        size=size,
        percentage=share(size, counts["persons"]),
        persons=counts["persons"],
        sample=tuple(
            Example(person_id=name, entered_at=since) for part, name, _, _, since in rows if part == "example"
        ),
        published=published,
        overlaps=tuple(overlaps.values()),
        as_of=now,
    )
