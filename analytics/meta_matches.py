"""Which events of Meta came from both the pixel and the server, and which from one of them only."""

from __future__ import annotations

from typing import Any

from analytics import dialect
from analytics.query import Engine, Query, Step
from analytics.spec import ReportSpec, at_build
from analytics.statistic import share
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape


class MatchesSpec(ReportSpec):
    """The range selects events by when they happened, as the copy that counts says it."""


class Matches(Shape):
    """Events of one name: how many the pixel sent, how many a server, and how many both.

    ``without_id`` events, which nothing can match, are among those of their channel. ``median_delay_seconds`` is from
    the pixel's first copy to the server's, of matched events; below 0 the server was earlier.
    """

    pixel: int
    server: int
    matched: int
    pixel_only: float | None
    server_only: float | None
    without_id: int
    median_delay_seconds: float | None


class NamedMatches(Matches):
    """The same with the name of the events."""

    event_type: str


class MatchesResult(Shape):
    """Matches of each event type, most events first, and of all."""

    events: tuple[NamedMatches, ...]
    total: Matches
    as_of: Moment
    start: Moment | None
    end: Moment | None

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md."""
        found = self.model_dump(mode="json", by_alias=True)
        return {
            "events": found["events"],
            "total": found["total"],
            "asOf": found["asOf"],
            "from": found["start"],
            "to": found["end"],
        }

    def table(self) -> Sheet:
        """One screen: a row per event type, and one for all."""
        columns = (
            Column("event"),
            *(Column(name, "count") for name in ("pixel", "server", "both")),
            *(Column(name, "rate") for name in ("p. only", "s. only")),
            Column("no id", "count"),
            Column("delay", "seconds"),
        )
        rows = [(event.event_type, *_cells(event)) for event in self.events]
        if len(rows) > 1:
            rows.append(("all", *_cells(self.total)))
        return Sheet(
            "Pixel and server copies of Meta events",
            (
                f"As of {minute(self.as_of)} UTC.",
                "P. only: the share of the pixel's events that no server sent; s. only: of the",
                "server's that no pixel sent. Delay: the median, from the pixel to the server.",
            ),
            (first_rows(columns, tuple(rows), most=50, what="event types"),) if rows else (),
        )

    def records(self) -> Table:
        """One row per event type, for files."""
        columns = (
            Column("event_type"),
            *(Column(name, "count") for name in ("pixel", "server", "matched")),
            *(Column(name, "rate") for name in ("pixel_only", "server_only")),
            Column("without_id", "count"),
            Column("median_delay_seconds", "seconds"),
        )
        return Table(columns, tuple((event.event_type, *_cells(event)) for event in self.events))


def query(spec: MatchesSpec) -> Query:
    """The matches as named SQL steps: one row per event type, and one without a type for all."""
    delay = f"{dialect.microseconds('server_at')} - {dialect.microseconds('pixel_at')}"
    channel = dialect.json_text("metadata", "'$.channel'")
    in_range = ["occurred_at < $as_of"]
    in_range += ["occurred_at >= $start"] if spec.start else []
    in_range += ["occurred_at < $end"] if spec.end else []
    steps = (
        Step(
            "matched",
            "select\n    event_type,\n    min(occurred_at) filter (where is_counted) as occurred_at,\n"
            "    min(arrived_at) filter (where channel = 'pixel') as pixel_at,\n"
            "    min(arrived_at) filter (where channel = 'server') as server_at,\n    true as has_id\n"
            "from meta_copy\ngroup by event_type, counted_event_id",
        ),
        Step(
            "unnamed",
            f"select event_type, occurred_at, {channel} as channel\n"
            "from event\nwhere source = 'meta_pixel'\n    and source_id is null",
        ),
        Step(
            "sent",
            "select * from matched\nunion all\nselect\n    event_type,\n    occurred_at,\n"
            "    case when channel = 'pixel' then occurred_at end,\n"
            "    case when channel = 'server' then occurred_at end,\n    false\n"
            "from unnamed\nwhere channel in ('pixel', 'server')",
        ),
        Step("in_range", "select * from sent\nwhere " + "\n    and ".join(in_range)),
        Step(
            "total",
            "select\n    event_type,\n    count(pixel_at) as pixel,\n    count(server_at) as server,\n"
            "    count(*) filter (where pixel_at is not null and server_at is not null) as matched,\n"
            "    count(*) filter (where not has_id) as without_id,\n"
            f"    median({delay}) / 1000000 as median_delay_seconds\n"
            "from in_range\ngroup by grouping sets ((event_type), ())",
        ),
    )
    values = {"as_of": spec.now, "start": spec.start, "end": spec.end}
    return Query(steps, {name: value for name, value in values.items() if value is not None})


def prepare(engine: Engine, spec: MatchesSpec) -> MatchesSpec:
    """Fill in the build's now."""
    return at_build(spec, engine)


def run(engine: Engine, spec: MatchesSpec) -> MatchesResult:
    """Answer how well the copies of pixel and server match."""
    spec = prepare(engine, spec)
    found = {row.pop("event_type"): _shares(row) for row in query(spec).run(engine)}
    total = Matches(**found.pop(None))
    events = [NamedMatches(event_type=name, **values) for name, values in found.items()]
    events.sort(key=lambda event: (event.matched - event.pixel - event.server, event.event_type))
    return MatchesResult(events=tuple(events), total=total, as_of=spec.now, start=spec.start, end=spec.end)


def _shares(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "pixel_only": share(row["pixel"] - row["matched"], row["pixel"]),
        "server_only": share(row["server"] - row["matched"], row["server"]),
    }


def _cells(found: Matches) -> tuple[Any, ...]:
    return (
        *(found.pixel, found.server, found.matched),
        *(found.pixel_only, found.server_only),
        *(found.without_id, found.median_delay_seconds),
    )
