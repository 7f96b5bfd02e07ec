"""Deciding what a build has to do: what landing, definitions and code have become since the published generation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb

from analytics.segment_leaves import PUBLISHED
from analytics.segment_rules import compile_segment
from models.errors import GdpError, UsageError
from pipeline.project import Project
from warehouse.control import LandedFile, landed_files
from warehouse.definitions import Definitions, content_hash
from warehouse.duck import connect
from warehouse.generations import next_generation
from warehouse.home import Home
from warehouse.reader import current_generation
from warehouse.segment_sql import segment_sql

ROOT = Path(__file__).parent.parent
DBT_PROJECT = ROOT / "dbt_project"
#: Python whose answers are in the tables, beside dbt's project: what its functions give and what writes its macros.
TABLE_CODE = (
    "analytics/chain.py",
    "analytics/components.py",
    "analytics/identity.py",
    "pipeline/dbt_plugin.py",
    "pipeline/identity_macros.py",
    "pipeline/revenue_macros.py",
    "pipeline/table_functions.py",
)

FX_CHANGED = "the exchange rates changed"


@dataclass(frozen=True)
class Published:
    """What the published generation says of itself (its row of build_info)."""

    path: Path
    as_of: datetime
    project_hash: str
    definition_hashes: dict[str, str]
    landing_hash: str
    max_batch_seq: int
    last_full_refresh: str


@dataclass(frozen=True)
class Plan:
    """What one build is going to do, and why."""

    generation: str
    as_of: datetime
    published: Published | None
    full_refresh_because: str | None
    changed_segments: tuple[str, ...]
    new_files: tuple[LandedFile, ...]
    all_files: tuple[LandedFile, ...]
    project_hash: str
    definition_hashes: dict[str, str]
    #: Whether the exchange rates differ from those of the published generation.
    is_fx_changed: bool = False
    #: Only what was received by then says who is who, where a build that is thrown away asks for it.
    identity_as_of: datetime | None = None
    #: Only what was received by then counts at all, where a build that is thrown away asks for it.
    known_at: datetime | None = None
    #: Segments that have to be worked out again because now is another one.
    moved_segments: tuple[str, ...] = ()

    @property
    def is_full_refresh(self) -> bool:
        """Whether every table is built from an empty file."""
        return self.full_refresh_because is not None

    @property
    def only_as_of_moves(self) -> bool:
        """Whether nothing but the point in time differs from the published generation."""
        return not (
            self.is_full_refresh or self.changed_segments or self.moved_segments or self.is_fx_changed or self.new_files
        )

    @property
    def because(self) -> str | None:
        """Why more is made again than what new rows touch, if it is; segments apart."""
        return self.full_refresh_because or (FX_CHANGED if self.is_fx_changed else None)

    @property
    def last_full_refresh(self) -> str:
        """The generation that was last built from an empty file."""
        return self.generation if self.published is None or self.is_full_refresh else self.published.last_full_refresh


def plan_build(project: Project, definitions: Definitions, *, as_of: datetime, full_refresh: bool = False) -> Plan:
    """Compare landing, definitions and code with what the published generation was built from."""
    home = project.home
    published, unreadable = read_published(home)
    files = tuple(landed_files(home.control))
    project_hash = _table_code_hash()
    hashes = definition_hashes(definitions)
    reason = (
        "it was asked for"
        if full_refresh
        else unreadable or _full_refresh_reason(published, files, project_hash, hashes)
    )
    changed = _changed_segments(published, hashes) if published and reason is None else ()
    watermark = published.max_batch_seq if published and reason is None else 0
    return Plan(
        generation=next_generation(home),
        as_of=as_of,
        published=published,
        full_refresh_because=reason,
        changed_segments=changed,
        new_files=tuple(file for file in files if file.batch_seq > watermark),
        all_files=files,
        project_hash=project_hash,
        definition_hashes=hashes,
        is_fx_changed=published is not None and reason is None and _is_fx_changed(published, hashes),
        moved_segments=_moved_segments(definitions) if published and published.as_of != as_of else (),
    )


def plan_preview(home: Home, definitions: Definitions) -> Plan:
    """Plan the published build once more from an empty file: the same landing and now, but other identity rules.

    The rules of ``definitions`` are those to be tried; all else has to be what the build was made from, because
    otherwise that would change, too.

    Raises:
        UsageError: if the build was made by these very rules.
        GdpError: if nothing is published, or something else has changed since.
    """
    published = _existing(home)
    hashes = definition_hashes(definitions)
    if hashes["identity"] == published.definition_hashes["identity"]:
        raise UsageError("these are the rules of the published build: nothing would change")
    return _plan_again(home, published, hashes, ignore="identity", because="identity rules are tried")


def plan_identity_as_of(home: Home, definitions: Definitions, moment: datetime) -> Plan:
    """Plan the published build once more from an empty file, with who was who by what had been received by a moment.

    Raises:
        GdpError: if nothing is published, or something has changed since.
    """
    plan = _plan_again(home, _existing(home), definition_hashes(definitions), because="identity of a past moment")
    return replace(plan, identity_as_of=moment)


def plan_known_at(home: Home, definitions: Definitions, moment: datetime) -> Plan:
    """Plan the published build once more from an empty file, of what had been received by a moment, and as of it.

    Raises:
        GdpError: if nothing is published, or something has changed since.
    """
    plan = _plan_again(home, _existing(home), definition_hashes(definitions), because="what was known at a past moment")
    return replace(plan, known_at=moment, as_of=min(plan.as_of, moment))


def _existing(home: Home) -> Published:
    published, unreadable = read_published(home)
    if published is None:
        raise GdpError(f"{unreadable or f'no warehouse in {home.root} yet'}: run gdp build")
    return published


def _plan_again(
    home: Home, published: Published, hashes: dict[str, str], *, because: str, ignore: str | None = None
) -> Plan:
    """Plan the published build from an empty file; nothing but the definition ``ignore`` may have changed since."""
    project_hash = _table_code_hash()
    unmoved = hashes if ignore is None else {**hashes, ignore: published.definition_hashes[ignore]}
    files = tuple(file for file in landed_files(home.control) if file.batch_seq <= published.max_batch_seq)
    reason = _full_refresh_reason(published, files, project_hash, unmoved)
    if reason is None and _is_fx_changed(published, unmoved):
        reason = FX_CHANGED
    segments = _changed_segments(published, unmoved)
    if reason or segments:
        than = "more than the identity rules would change" if ignore else "the tables cannot be made again as they are"
        raise GdpError(
            f"{than}: {reason or f'segment {segments[0]} changed'} since the published build; run gdp build first"
        )
    return Plan(
        generation=next_generation(home),
        as_of=published.as_of,
        published=published,
        full_refresh_because=because,
        changed_segments=(),
        new_files=files,
        all_files=files,
        project_hash=project_hash,
        definition_hashes=hashes,
    )


def changes_since(home: Home, definitions: Definitions) -> tuple[str | None, tuple[str, ...]]:
    """Why more of the published tables would be made again than new rows touch, if so; and which segments changed.

    Raises:
        GdpError: if nothing is published.
    """
    published = _existing(home)
    hashes = definition_hashes(definitions)
    reason = _full_refresh_reason(published, tuple(landed_files(home.control)), _table_code_hash(), hashes)
    if reason is None and _is_fx_changed(published, hashes):
        reason = FX_CHANGED
    return reason, _changed_segments(published, hashes)


def is_of_this_code(home: Home) -> bool:
    """Whether the published generation was made by the code that reads it now."""
    published, _ = read_published(home)
    return published is not None and published.project_hash == _table_code_hash()


def definition_hashes(definitions: Definitions) -> dict[str, str]:
    """A hash per definition; a segment's changes with its meaning, with that of segments it asks for, and its SQL."""
    hashes = {
        "events": content_hash(definitions.catalog),
        "identity": content_hash(definitions.identity),
        "revenue": content_hash(definitions.revenue),
        "fx": content_hash(definitions.fx),
    }
    for segment in definitions.segments:
        compiled = compile_segment(segment, PUBLISHED, definitions.segments)
        hashes[f"segment:{segment.segment_id}"] = content_hash(segment, compiled)
    return hashes


def read_published(home: Home) -> tuple[Published | None, str | None]:
    """The published generation's own description, or None, and why one that is there cannot be read."""
    path = current_generation(home)
    if path is None:
        return None, None
    if not path.exists():
        return None, f"the published generation {path.name} is gone"
    try:
        with connect(path, read_only=True) as connection:
            row = connection.execute(
                "select as_of, project_hash, definition_hashes, landing_hash, max_batch_seq, last_full_refresh"
                " from build_info"
            ).fetchall()[0]
    except (duckdb.Error, IndexError) as error:
        return None, f"the published generation {path.name} cannot be read ({' '.join(str(error).split())[:100]})"
    as_of, project_hash, hashes, landing, max_batch_seq, last_full_refresh = row
    found = Published(
        path=path,
        as_of=as_of.astimezone(timezone.utc),
        project_hash=project_hash,
        definition_hashes=json.loads(hashes),
        landing_hash=landing,
        max_batch_seq=max_batch_seq,
        last_full_refresh=last_full_refresh,
    )
    return found, None


def _table_code_hash() -> str:
    return code_hash(DBT_PROJECT, (ROOT / name for name in TABLE_CODE))


def _full_refresh_reason(
    published: Published | None, files: tuple[LandedFile, ...], project_hash: str, hashes: dict[str, str]
) -> str | None:
    if published is None:
        return "there is no published generation to start from"
    if published.project_hash != project_hash:
        return "the tables' code changed"
    whole = {"events": "the event catalog", "identity": "the identity rules", "revenue": "the revenue policies"}
    for name, changed in whole.items():
        if published.definition_hashes.get(name) != hashes[name]:
            return f"{changed} changed"
    built = [file for file in files if file.batch_seq <= published.max_batch_seq]
    if landing_hash(built) != published.landing_hash:
        return "landed rows were taken away or rewritten"
    return None


def _is_fx_changed(published: Published, hashes: dict[str, str]) -> bool:
    return published.definition_hashes.get("fx") != hashes["fx"]


def _changed_segments(published: Published, hashes: dict[str, str]) -> tuple[str, ...]:
    before = published.definition_hashes
    names = {name for name in {*before, *hashes} if name.startswith("segment:")}
    return tuple(sorted(name.removeprefix("segment:") for name in names if before.get(name) != hashes.get(name)))


def _moved_segments(definitions: Definitions) -> tuple[str, ...]:
    queries = ((segment.segment_id, segment.sql) for segment in definitions.segments if segment.sql is not None)
    return tuple(segment_id for segment_id, sql in queries if segment_sql(sql).needs_now)


def build_row(plan: Plan, built_at: datetime) -> dict[str, Any]:
    """The row of build_info that describes a build."""
    return {
        "as_of": plan.as_of,
        "generation": plan.generation,
        "built_at": built_at,
        "project_hash": plan.project_hash,
        "definition_hashes": json.dumps(plan.definition_hashes, sort_keys=True),
        "landing_hash": landing_hash(plan.all_files),
        "max_batch_seq": max((file.batch_seq for file in plan.all_files), default=0),
        "last_full_refresh": plan.last_full_refresh,
    }


def landing_hash(files: list[LandedFile] | tuple[LandedFile, ...]) -> str:
    """A hash of which files the manifest holds; any file that goes or is rewritten changes it."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: (file.batch_seq, file.path)):
        digest.update(f"{file.batch_seq} {file.path} {file.sha256}\n".encode())
    return digest.hexdigest()[:16]


def code_hash(dbt_project: Path, python: Iterable[Path]) -> str:
    """A hash of the text of every SQL, YAML and CSV file of a dbt project, and of some Python files."""
    texts = sorted(path for path in dbt_project.rglob("*") if path.suffix in {".sql", ".yml", ".csv"})
    named = [(path.relative_to(dbt_project), path) for path in texts]
    named = [(name, path) for name, path in named if name.parts[0] not in {"target", "logs"}]
    digest = hashlib.sha256()
    for name, path in (*named, *((Path(path.name), path) for path in python)):
        digest.update(f"{name.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
