"""What has landed, what is in quarantine, what is built, and how fresh it all is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analytics.table import minute
from ingest.quarantine import count_quarantine
from models.errors import BusyError, GdpError
from models.landing import EVENT
from pipeline.project import Project
from pipeline.source_health import PublishedSource, SourceHealth, published_sources, source_health
from warehouse.buildlog import builds
from warehouse.control import landed_files
from warehouse.home import Home, file_system
from warehouse.locks import exclusive
from warehouse.reader import Warehouse, current_generation, open_warehouse


@dataclass(frozen=True)
class Landed:
    """The landing as its manifest has it; times are None where nothing has landed."""

    files: int
    rows: int
    bytes: int
    last_landed_at: datetime | None
    first_event_at: datetime | None
    last_event_at: datetime | None


@dataclass(frozen=True)
class Built:
    """The published generation."""

    generation: str
    as_of: datetime
    built_at: datetime
    events: int
    persons: int
    conflicts: int
    events_without_person: int
    rows_landed_since: int
    unlisted_event_types: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Status:
    """One look at a project."""

    now: datetime
    project: str
    home: str
    definitions: str
    landed: Landed
    quarantined: dict[str, int]
    built: Built | None
    sources: tuple[SourceHealth, ...]
    last_failure: str | None
    unreadable: str | None = None
    volatile: bool = False
    orphaned: int = 0

    def to_json(self) -> dict[str, Any]:
        """The status as plain values (docs/json.md)."""
        return {
            "project": self.project,
            "home": self.home,
            "definitions": self.definitions,
            "landed": _plain(self.landed),
            "quarantined": {"rows": sum(self.quarantined.values()), "reasons": self.quarantined},
            "built": _plain(self.built) if self.built else None,
            "sources": [source.to_json() for source in self.sources],
            "unreadable": self.unreadable,
            "last_failure": self.last_failure,
            "orphaned": self.orphaned,
        }

    def facts(self) -> list[tuple[str, str]]:
        """The status for a person: label and text."""
        landed, built = self.landed, self.built
        facts = [("project", self.project), ("home", self.home), ("definitions", self.definitions)]
        if self.volatile:
            facts.append(("warning", "the home is on a file system in memory: it is gone after a restart"))
        facts.append(
            ("landed", f"{landed.rows:,} rows in {landed.files:,} landing files, {landed.bytes / 1e6:,.1f} MB")
        )
        if landed.last_landed_at and landed.first_event_at and landed.last_event_at:
            facts.append(("", f"last landing {self._ago(landed.last_landed_at)}"))
            facts.append(("", f"events from {minute(landed.first_event_at)} to {minute(landed.last_event_at)} UTC"))
        if self.orphaned:
            facts.append(
                ("orphaned", f"{self.orphaned:,} files that the manifest does not know, in {self.home}/orphaned")
            )
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.quarantined.items()))
        total = sum(self.quarantined.values())
        facts.append(("quarantine", f"{total:,} rows" + (f": {reasons}" if reasons else "")))
        if self.unreadable:
            facts.append(("built", self.unreadable))
        elif built is None:
            facts.append(("built", "nothing yet: run gdp build"))
        else:
            facts.append(("built", f"generation {built.generation}, {self._ago(built.built_at)}"))
            facts.append(("", f"as of {minute(built.as_of)} UTC"))
            facts.append(("", f"{built.events:,} events, {built.persons:,} persons"))
            facts.append(("", f"{built.rows_landed_since:,} rows landed since"))
            facts.append(("", f"{built.events_without_person:,} events without any identifier"))
            facts.append(("", f"{built.conflicts:,} deliveries in conflict with an event of the same id"))
        if self.last_failure:
            facts.append(("failed", f"the last build: {self.last_failure}"))
        return facts

    def _ago(self, moment: datetime) -> str:
        return f"{minute(moment)} UTC ({_length(self.now - moment)} ago)"


def read_status(project: Project, *, now: datetime) -> Status:
    """Look at a project; nothing is made or changed.

    Raises:
        UsageError: if it has no home.
    """
    home = project.existing_home()
    built, published, unreadable = _built(project)
    return Status(
        now=now,
        project=str(project.file or f"{project.folder} (no gdp.toml: defaults)"),
        home=str(home.root),
        definitions=str(project.definitions_folder),
        landed=_landed(home),
        quarantined=_quarantined(home),
        built=built,
        sources=source_health(home, published),
        unreadable=unreadable,
        last_failure=_last_failure(home),
        orphaned=len(list(home.orphaned.glob("*.parquet"))),
        volatile=file_system(home.root) in {"tmpfs", "ramfs"},
    )


def _landed(home: Home) -> Landed:
    files = landed_files(home.control) if home.control.exists() else []
    events = [file for file in files if file.entity == EVENT.name]
    return Landed(
        files=len(files),
        rows=sum(file.rows for file in files),
        bytes=sum(file.bytes for file in files),
        last_landed_at=max((file.landed_at for file in files), default=None),
        first_event_at=min((file.min_occurred_at for file in events), default=None),
        last_event_at=max((file.max_occurred_at for file in events), default=None),
    )


def _quarantined(home: Home) -> dict[str, int]:
    waiting: Counter[str] = Counter()
    for count in count_quarantine(home):
        waiting[count.reason] += count.waiting
    return {reason: rows for reason, rows in sorted(waiting.items()) if rows}


def _last_failure(home: Home) -> str | None:
    """Why the last build published nothing; None if it did, or if it is still running."""
    found = builds(home.control) if home.control.exists() else []
    if not found or found[0].outcome == "published":
        return None
    if found[0].outcome == "failed":
        return str(found[0].detail)
    try:
        with exclusive(home.locks / "build", "a build"):
            return f"it began at {minute(found[0].started_at)} UTC and was killed"
    except BusyError:
        return None


def _built(project: Project) -> tuple[Built | None, Mapping[str, PublishedSource], str | None]:
    """The published generation and what it says of each source, or why it cannot be read."""
    try:
        if current_generation(project.home) is None:
            return None, {}, None
        with open_warehouse(project.home) as warehouse:
            listed = project.definitions().catalog.events
            return _read_built(project, warehouse, listed), published_sources(warehouse, listed), None
    except GdpError as error:
        return None, {}, str(error)


def _read_built(project: Project, warehouse: Warehouse, listed: Mapping[str, object]) -> Built:
    (row,) = warehouse.dicts("select built_at, max_batch_seq from build_info")
    types = warehouse.rows(
        "select event_type, count(*) from event group by event_type order by count(*) desc, event_type"
    )
    since = landed_files(project.home.control, after=row["max_batch_seq"])
    return Built(
        generation=warehouse.generation,
        as_of=warehouse.as_of,
        built_at=row["built_at"],
        events=sum(count for _, count in types),
        persons=warehouse.scalar("select count(*) from person"),
        conflicts=warehouse.scalar("select count(*) from event_conflict"),
        events_without_person=warehouse.scalar("select count(*) from event where person_key is null"),
        rows_landed_since=sum(file.rows for file in since),
        unlisted_event_types=tuple((name, count) for name, count in types if name not in listed)[:10],
    )


def _plain(record: Landed | Built) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in vars(record).items():
        if isinstance(value, datetime):
            plain[name] = value.isoformat()
        elif name == "unlisted_event_types":
            plain[name] = dict(value)
        else:
            plain[name] = value
    return plain


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "moments"
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // 1440} days"
