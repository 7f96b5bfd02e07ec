"""How large a segment was: day by day, week by week or month by month."""

from __future__ import annotations

from datetime import date, timedelta

from analytics.interval import Interval, first_day, interval_number, number_of
from analytics.names import require_past
from analytics.query import Engine, Query, Step, Value
from analytics.spec import ReportSpec, at_build
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape

_INSTANT = timedelta(microseconds=1)


class SizesSpec(ReportSpec):
    """Which segment, and how wide a row is."""

    segment_id: str
    interval: Interval = "month"


class SizeRow(Shape):
    """One interval: start + entered - left = size, the number of persons at its end or at now."""

    interval_start: date
    start: int
    entered: int
    left: int
    size: int


class SizesResult(Shape):
    """The sizes of a segment from its first stay on, in the order of time."""

    segment_id: str
    interval: Interval
    tz: str
    rows: tuple[SizeRow, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen, the latest first."""
        found = self.records()
        return Sheet(
            f"Segment {self.segment_id} by {self.interval}",
            (f"Days of {self.tz}; who enters twice counts twice. As of {minute(self.as_of)} UTC; the latest first.",),
            (first_rows(found.columns, found.rows[::-1], what=f"{self.interval}s"),),
        )

    def records(self) -> Table:
        """One row per interval."""
        counts = ("start", "entered", "left", "size")
        return Table(
            (Column(self.interval, "date"), *(Column(name, "count") for name in counts)),
            tuple((row.interval_start, row.start, row.entered, row.left, row.size) for row in self.rows),
        )


def query(spec: SizesSpec) -> Query:
    """How many entered and left in each interval; the interval is null for what was before the range."""
    number = interval_number("changed_at", spec.interval, spec.tz)
    if spec.start:
        number = f"case when changed_at >= $start_at then {number} end"
    until = " and changed_at < $end_at" if spec.end else ""
    steps = (
        Step(
            "change",
            "select entered_at as changed_at, 1 as entered, 0 as gone\nfrom segment_stay\n"
            "where segment_id = $segment_id\nunion all\n"
            "select exited_at, 0, 1\nfrom segment_stay\nwhere segment_id = $segment_id and exited_at is not null",
        ),
        Step(
            "known",
            f"select\n    {number} as number,\n    entered,\n    gone\nfrom change\nwhere changed_at <= $as_of{until}",
        ),
        Step(
            "tally",
            "select\n    cast(number as bigint) as number,\n    cast(sum(entered) as bigint) as entered,\n"
            "    cast(sum(gone) as bigint) as gone\nfrom known\ngroup by number",
        ),
    )
    values: dict[str, Value] = {"segment_id": spec.segment_id, "as_of": spec.now, "tz": spec.tz}
    if spec.start:
        values["start_at"] = spec.start
    if spec.end:
        values["end_at"] = spec.end
    return Query(steps, values)


def prepare(engine: Engine, spec: SizesSpec) -> SizesSpec:
    """Fill in the build's now.

    Raises:
        UsageError: for an unknown segment, or a time that the build does not know yet.
    """
    spec = at_build(spec, engine)
    require_past(engine, spec.segment_id)
    return spec


def run(engine: Engine, spec: SizesSpec) -> SizesResult:
    """The size of a segment at the end of each interval, and what moved it.

    Raises:
        UsageError: for an unknown segment, or a time that the build does not know yet.
    """
    spec = prepare(engine, spec)
    changes = {row["number"]: (row["entered"], row["gone"]) for row in query(spec).run(engine)}
    entered, gone = changes.pop(None, (0, 0))
    size = entered - gone
    rows = []
    for number in _numbers(spec, changes):
        entered, gone = changes.get(number, (0, 0))
        day = first_day(number, spec.interval)
        rows.append(SizeRow(interval_start=day, start=size, entered=entered, left=gone, size=size + entered - gone))
        size = rows[-1].size
    return SizesResult(segment_id=spec.segment_id, interval=spec.interval, tz=spec.tz, rows=tuple(rows), as_of=spec.now)


def _numbers(spec: SizesSpec, changes: dict[int, tuple[int, int]]) -> range:
    """The intervals from the range's start, or the first change, up to its end or to now."""
    last = (spec.now if spec.end is None else min(spec.end, spec.now)) - _INSTANT
    # What happens at now counts, but an interval that begins only then is shown only if something did.
    until = max(number_of(last.astimezone(spec.zone).date(), spec.interval), *changes, 0)
    if spec.start:
        begin = number_of(spec.start.astimezone(spec.zone).date(), spec.interval)
    else:
        begin = min(changes, default=until + 1)
    return range(begin, until + 1)
