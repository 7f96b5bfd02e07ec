"""How each source is doing: what came last, how late, how much, and what of it is not as it should be.

Read from the control database, the published tables, the newest rows of Stripe's landing and the ids of all: its cost
grows with columns of time, type and id, not with what has landed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from analytics.table import Column, Table
from ingest.quarantine import count_quarantine
from models.landing import STRIPE
from pipeline.landings import source_of
from pipeline.stripe_health import stripe_deliveries
from warehouse.control import quarantine_files
from warehouse.forget import landings
from warehouse.home import Home
from warehouse.reader import Warehouse

SOURCES = ("app", "segment", "custom", "stripe", "meta_pixel")
_MOST_TYPES = 10

_TYPES = """
select
    source, event_type, count(*) as events,
    max(occurred_at) as last_event_at, max(received_at) as last_received_at, max(landed_at) as last_landed_at
from event
where occurred_at <= $as_of
group by source, event_type
order by count(*) desc, event_type
"""
_LAST_EVENTS = """
select count(*) filter (where occurred_at > $last - interval '1' day) as events_last_24h, count(*) as events_last_7d
from event
where source = $source and occurred_at > $last - interval '7' day and occurred_at <= $last
"""
_LAST_DELAYS = """
select quantile_cont(epoch(received_at - occurred_at), [0.5, 0.99]) as delays
from event
where source = $source and received_at > $last - interval '1' day and occurred_at <= $as_of
"""
_CONFLICTS = "select source, count(*) from event_conflict group by source"


@dataclass
class _Files:
    """What the files of a source came to."""

    last_landed_at: datetime | None = None
    landed: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class PublishedSource:
    """What the published tables say of a source, up to their as_of.

    Attributes:
        last_event_at: when the last event happened.
        last_landed_at: when the last row of its events landed.
        events: how many there are.
        events_last_24h: how many happened in the 24 hours that end with the last.
        events_last_7d: the same of seven days.
        delays: median and 99th percentile of the seconds from an event to its receipt, over what was received in the 24
            hours that end with the last receipt; None where nothing says when it was received.
        conflicts: deliveries that say something else under an id than the one that counts; of Stripe, under the id of
            one event in one version of its API.
        unlisted_types: event types that the catalog does not name, those with most events first.
    """

    last_event_at: datetime | None = None
    last_landed_at: datetime | None = None
    events: int = 0
    events_last_24h: int = 0
    events_last_7d: int = 0
    delays: tuple[float, float] | None = None
    conflicts: int = 0
    unlisted_types: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceHealth:
    """A source: what its files came to, and what the published tables say of it (``published``).

    Attributes:
        landed: rows that landed from its files, those that name another source among them.
        quarantined: rows of its files that wait in quarantine.
        unread_types: of Stripe's newest 10,000 deliveries, those of objects from which no table is made, by type.
    """

    source: str
    last_landed_at: datetime | None
    landed: int
    quarantined: int
    published: PublishedSource
    unread_types: Mapping[str, int]

    @property
    def quarantined_share(self) -> float | None:
        """The share of what waits in quarantine in what landed or waits."""
        rows = self.landed + self.quarantined
        return self.quarantined / rows if rows else None

    def to_json(self) -> dict[str, Any]:
        """The source as plain values (docs/json.md)."""
        said = self.published
        median, p99 = (round(delay, 3) for delay in said.delays) if said.delays else (None, None)
        return {
            "source": self.source,
            "last_event_at": _iso(said.last_event_at),
            "last_landed_at": _iso(self.last_landed_at),
            "landed": self.landed,
            "events": said.events,
            "events_last_24h": said.events_last_24h,
            "events_last_7d": said.events_last_7d,
            "delay_median_seconds": median,
            "delay_p99_seconds": p99,
            "quarantined": self.quarantined,
            "quarantined_share": self.quarantined_share,
            "conflicts": said.conflicts,
            "unlisted_types": dict(said.unlisted_types),
            "unread_types": dict(self.unread_types),
        }


def published_sources(warehouse: Warehouse, listed: Mapping[str, object]) -> dict[str, PublishedSource]:
    """What the published tables say of each source that they know.

    Args:
        warehouse: the published generation.
        listed: the event types of the catalog.
    """
    conflicts = dict(warehouse.rows(_CONFLICTS))
    by_source: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in warehouse.dicts(_TYPES, {"as_of": warehouse.as_of}):
        by_source[row["source"]].append(row)
    return {
        source: _published_source(warehouse, source, types, listed, conflicts.get(source, 0))
        for source, types in by_source.items()
    }


def _published_source(
    warehouse: Warehouse, source: str, types: list[dict[str, Any]], listed: Mapping[str, object], conflicts: int
) -> PublishedSource:
    last_event_at = max(row["last_event_at"] for row in types)
    last_received_at = max((row["last_received_at"] for row in types if row["last_received_at"]), default=None)
    (counts,) = warehouse.dicts(_LAST_EVENTS, {"source": source, "last": last_event_at})
    delays = None
    if last_received_at is not None:
        values = {"source": source, "last": last_received_at, "as_of": warehouse.as_of}
        delays = warehouse.scalar(_LAST_DELAYS, values)
    unlisted = [(row["event_type"], row["events"]) for row in types if row["event_type"] not in listed]
    return PublishedSource(
        last_event_at=last_event_at,
        last_landed_at=max(row["last_landed_at"] for row in types),
        events=sum(row["events"] for row in types),
        **counts,
        delays=delays and (delays[0], delays[1]),
        conflicts=conflicts,
        unlisted_types=dict(unlisted[:_MOST_TYPES]),
    )


def source_health(home: Home, published: Mapping[str, PublishedSource]) -> tuple[SourceHealth, ...]:
    """Every source of which something landed, waits or is published, in the order of ``SOURCES``."""
    files = _files(home)
    delays, conflicts, unread = stripe_deliveries(home) if STRIPE.name in files else (None, 0, {})
    found = []
    for source in SOURCES:
        if source not in files and source not in published:
            continue
        mine, said = files.get(source, _Files()), published.get(source, PublishedSource())
        if source == STRIPE.name:
            said = replace(said, delays=delays, conflicts=conflicts)
        landed_at = [at for at in (mine.last_landed_at, said.last_landed_at) if at is not None]
        found.append(
            SourceHealth(
                source=source,
                last_landed_at=max(landed_at, default=None),
                landed=mine.landed,
                quarantined=mine.quarantined,
                published=said,
                unread_types=unread if source == STRIPE.name else {},
            )
        )
    return tuple(found)


def health_tables(sources: Sequence[SourceHealth]) -> tuple[Table, Table]:
    """The sources for a person: what came and when, and how well."""
    came = Table(
        (
            *(Column("source"), Column("last event", "time"), Column("last landing", "time")),
            *(Column(name, "count") for name in ("events", "24 h", "7 d")),
        ),
        tuple(
            (
                *(one.source, one.published.last_event_at, one.last_landed_at),
                *(one.published.events, one.published.events_last_24h, one.published.events_last_7d),
            )
            for one in sources
        ),
    )
    well = Table(
        (
            *(Column("source"), Column("median delay", "seconds"), Column("p99 delay", "seconds")),
            *(Column("landed", "count"), Column("in quarantine", "rate"), Column("conflicts", "count")),
        ),
        tuple(
            (
                *(one.source, *(one.published.delays or (None, None))),
                *(one.landed, one.quarantined_share, one.published.conflicts),
            )
            for one in sources
        ),
    )
    return came, well


def type_facts(sources: Sequence[SourceHealth]) -> list[tuple[str, str]]:
    """The types that nobody expected, as labels and texts."""
    unlisted = [
        ("unlisted", f"event types of {one.source} that the catalog does not name: {_named(types)}")
        for one in sources
        if (types := one.published.unlisted_types)
    ]
    unread = [
        ("unread", f"newest types of {one.source} that no table is made from: {_named(one.unread_types)}")
        for one in sources
        if one.unread_types
    ]
    return unlisted + unread


def _named(types: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in types.items())


def _files(home: Home) -> dict[str, _Files]:
    """What the files of each source came to, by the control database."""
    found: dict[str, _Files] = defaultdict(_Files)
    if not home.control.exists():
        return found
    for landing in landings(home.control):
        if landing.forgotten_at is None:
            files = found[source_of(landing.form, landing.options)]
            files.landed += landing.landed
            if landing.landed:
                files.last_landed_at = landing.landed_at
    refused = {file.batch: source_of(file.input_form, file.options) for file in quarantine_files(home.control)}
    for count in count_quarantine(home):
        found[refused[count.batch]].quarantined += count.waiting
    return found


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
