"""How segments overlap: pairs, every combination, and against everybody."""

from __future__ import annotations

from itertools import combinations

from pydantic import field_validator, model_validator

from analytics.names import require_past, require_segments
from analytics.query import Engine, Query, Step, Value
from analytics.spec import ReportSpec, at_build
from analytics.statistic import share
from analytics.table import Column, Sheet, Table, first_rows, minute, percent
from models.base import Moment, Shape

MAX_SEGMENTS = 20


class OverlapSpec(ReportSpec):
    """Two or more segments; who is in them is asked as of now."""

    segments: tuple[str, ...]

    @field_validator("segments")
    @classmethod
    def _segments_are_named(cls, segments: tuple[str, ...]) -> tuple[str, ...]:
        if not 2 <= len(segments) <= MAX_SEGMENTS:
            raise ValueError(f"an overlap has 2 to {MAX_SEGMENTS} segments; given: {len(segments)}")
        for number, name in enumerate(segments):
            if name in segments[:number]:
                raise ValueError(f"segment {name!r} is given twice")
        return segments

    @model_validator(mode="after")
    def _moment_is_the_range(self) -> OverlapSpec:
        if self.start or self.end:
            raise ValueError("an overlap has no --from and --to: it is asked as of one moment")
        return self


class Region(Shape):
    """The persons who are in exactly these segments of those asked for."""

    segments: tuple[str, ...]
    count: int


class Pair(Shape):
    """Two segments: their common persons as a share of the union (Jaccard), of each, and against chance (lift)."""

    a: str
    b: str
    count: int
    of_a: float | None
    of_b: float | None
    jaccard: float | None
    lift: float | None


class OverlapResult(Shape):
    """Who is in all of the segments; ``percentage`` is their share of all persons, ``of_union`` of those in any."""

    count: int
    percentage: float | None
    of_union: float | None
    of_each: dict[str, float | None]
    union: int
    persons: int
    sizes: dict[str, int]
    pairs: tuple[Pair, ...]
    regions: tuple[Region, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen: the pairs, and the regions that have anybody in them."""
        pairs = (
            Column("a"),
            Column("b"),
            Column("both", "count"),
            Column("of a", "rate"),
            Column("of b", "rate"),
            Column("Jaccard", "rate"),
            Column("lift", "number"),
        )
        of_each = ", ".join(f"{percent(self.of_each[name])} of {name} ({size:,})" for name, size in self.sizes.items())
        return Sheet(
            "Overlap of " + ", ".join(self.sizes),
            (
                f"In all of them, as of {minute(self.as_of)} UTC: {self.count:,}.",
                (
                    f"That is {percent(self.percentage)} of all {self.persons:,} persons, "
                    f"{percent(self.of_union)} of the {self.union:,} in any of them,"
                ),
                f"{of_each}.",
            ),
            (
                first_rows(
                    pairs,
                    tuple(
                        (pair.a, pair.b, pair.count, pair.of_a, pair.of_b, pair.jaccard, pair.lift)
                        for pair in self.pairs
                    ),
                    title="Pairs (lift: how many times more often together than by chance)",
                    what="pairs",
                ),
                first_rows(
                    (Column("in exactly"), Column("people", "count"), Column("of union", "rate")),
                    tuple(
                        (" + ".join(region.segments), region.count, share(region.count, self.union))
                        for region in self.regions
                    ),
                    title="Regions",
                    what="regions",
                ),
            ),
        )

    def records(self) -> Table:
        """One row per region, for files: a flag per segment and the count."""
        names = tuple(self.sizes)
        return Table(
            (*(Column(name, "flag") for name in names), Column("persons", "count")),
            tuple((*(name in region.segments for name in names), region.count) for region in self.regions),
        )


def query(spec: OverlapSpec) -> Query:
    """The regions as named SQL steps: one row per combination of segments, as a sum of powers of two."""
    bits = "\n".join(f"            when $segment_{number} then {2**number}" for number in range(len(spec.segments)))
    markers = ", ".join(f"$segment_{number}" for number in range(len(spec.segments)))
    steps = (
        Step(
            "member",
            "select distinct person_key, segment_id\nfrom segment_stay\n"
            f"where segment_id in ({markers})\n    and entered_at <= $as_of\n"
            "    and (exited_at is null or exited_at > $as_of)",
        ),
        Step(
            "combination",
            f"select\n    person_key,\n    sum(\n        case segment_id\n{bits}\n        end\n    ) as bits\n"
            "from member\ngroup by person_key",
        ),
        Step(
            "region",
            "select cast(bits as bigint) as bits, count(*) as persons\nfrom combination\ngroup by bits",
        ),
    )
    values: dict[str, Value] = {f"segment_{number}": name for number, name in enumerate(spec.segments)}
    return Query(steps, {**values, "as_of": spec.now})


def prepare(engine: Engine, spec: OverlapSpec) -> OverlapSpec:
    """Fill in the build's now, and refuse segments that are not defined, or have no past if another time is asked for.

    Raises:
        UsageError: for such a segment; for an unknown one with the nearest names.
    """
    spec = at_build(spec, engine)
    require_segments(engine, spec.segments)
    if spec.now != engine.as_of:
        for name in spec.segments:
            require_past(engine, name)
    return spec


def run(engine: Engine, spec: OverlapSpec) -> OverlapResult:
    """Answer how segments overlap.

    Raises:
        UsageError: for an unknown segment.
    """
    spec = prepare(engine, spec)
    names = spec.segments
    regions = [
        Region(
            segments=tuple(name for number, name in enumerate(names) if row["bits"] >> number & 1),
            count=row["persons"],
        )
        for row in query(spec).run(engine)
    ]
    regions.sort(
        key=lambda region: (-region.count, len(region.segments), [names.index(name) for name in region.segments])
    )
    persons = engine.rows("select count(*) from person where created_at <= $as_of", {"as_of": spec.now})[0][0]

    def inside(*wanted: str) -> int:
        return sum(region.count for region in regions if set(wanted) <= set(region.segments))

    union, common = sum(region.count for region in regions), inside(*names)
    sizes = {name: inside(name) for name in names}
    return OverlapResult(
        count=common,
        percentage=share(common, persons),
        of_union=share(common, union),
        of_each={name: share(common, size) for name, size in sizes.items()},
        union=union,
        persons=persons,
        sizes=sizes,
        pairs=tuple(_pair(a, b, inside(a, b), sizes, persons) for a, b in combinations(names, 2)),
        regions=tuple(regions),
        as_of=spec.now,
    )


def _pair(a: str, b: str, both: int, sizes: dict[str, int], persons: int) -> Pair:
    return Pair(
        a=a,
        b=b,
        count=both,
        of_a=share(both, sizes[a]),
        of_b=share(both, sizes[b]),
        jaccard=share(both, sizes[a] + sizes[b] - both),
        lift=share(both * persons, sizes[a] * sizes[b]),
    )
