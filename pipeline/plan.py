"""Deciding what a build has to do: what landing, definitions and code have become since the published generation."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from models.errors import GdpError, UsageError
from pipeline.origin import Published, definition_hashes, landing_hash, read_published, table_code_hash
from pipeline.project import Project
from warehouse.control import LandedFile, landed_files
from warehouse.definitions import Definitions
from warehouse.generations import next_generation
from warehouse.home import Home
from warehouse.segment_sql import segment_sql

FX_CHANGED = "the exchange rates changed"


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
    project_hash = table_code_hash()
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
    project_hash = table_code_hash()
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
    reason = _full_refresh_reason(published, tuple(landed_files(home.control)), table_code_hash(), hashes)
    if reason is None and _is_fx_changed(published, hashes):
        reason = FX_CHANGED
    return reason, _changed_segments(published, hashes)


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
