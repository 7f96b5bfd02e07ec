"""The definitions folder: files under the user's own version control that say what things mean."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from models.catalog import EventCatalog
from models.errors import UsageError
from models.identity import IdentityRules
from models.revenue import RevenuePolicies
from models.segment import SegmentDefinition
from models.segment_graph import in_order
from warehouse.yaml_file import Model, read_yaml, validate

CATALOG_FILE = "events.yml"
IDENTITY_FILE = "identity.yml"
REVENUE_FILE = "revenue_policy.yml"
SEGMENT_FOLDER = "segments"
SEGMENT_SUFFIXES = (".yml", ".yaml", ".json")


@dataclass(frozen=True)
class Definitions:
    """All definitions of a project, checked, segments in the order of their files' names.

    ``places`` says where each segment is defined.
    """

    catalog: EventCatalog
    identity: IdentityRules
    segments: tuple[SegmentDefinition, ...]
    revenue: RevenuePolicies = field(default_factory=RevenuePolicies)
    places: Mapping[str, str] = field(default_factory=dict)


def content_hash(model: BaseModel, *more: str) -> str:
    """A hash of what a definition says (and of further texts), whatever its file looks like: 16 hexadecimal digits."""
    return hashlib.sha256("\0".join((model.model_dump_json(), *more)).encode()).hexdigest()[:16]


def load_definitions(folder: Path) -> Definitions:
    """Read and check every definition in the folder; a file that is missing means its default.

    Raises:
        UsageError: with the file, the line or key, and what would be accepted.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of definitions (gdp init makes one)")
    for name in (CATALOG_FILE, IDENTITY_FILE, REVENUE_FILE):
        if (other := (folder / name).with_suffix(".yaml")).exists():
            raise UsageError(f"{other}: not read: the file is called {name}")
    segments = _load_segments(folder / SEGMENT_FOLDER)
    places = {segment.segment_id: place for place, segment in segments.items()}
    in_order(segments.values(), places)
    return Definitions(
        catalog=_load(EventCatalog, folder / CATALOG_FILE),
        identity=_load(IdentityRules, folder / IDENTITY_FILE),
        segments=tuple(segments.values()),
        places=places,
        revenue=_load(RevenuePolicies, folder / REVENUE_FILE),
    )


def load_identity_rules(path: Path) -> IdentityRules:
    """Read and check identity rules that are not (yet) those of the definitions.

    Raises:
        UsageError: as ``load_definitions``; also if there is no such file.
    """
    return validate(IdentityRules, read_yaml(path) or {}, str(path))


def _load(model: type[Model], path: Path) -> Model:
    return validate(model, (read_yaml(path) or {}) if path.exists() else {}, str(path))


def _load_segments(folder: Path) -> dict[str, SegmentDefinition]:
    """The segments by the place each is defined at."""
    segments: dict[str, SegmentDefinition] = {}
    by_id: dict[str, str] = {}
    by_order: dict[int, str] = {}
    for path in _segment_files(folder):
        for place, data in _documents(path):
            segment = validate(SegmentDefinition, data, place)
            if segment.segment_id in by_id:
                raise UsageError(
                    f"{place}: segment {segment.segment_id!r} is already defined in {by_id[segment.segment_id]}"
                )
            by_id[segment.segment_id] = place
            if "order" in segment.model_fields_set:
                if segment.order in by_order:
                    raise UsageError(
                        f"{place}: order {segment.order} is already that of {by_order[segment.order]}:"
                        " it decides which of several segments is a person's"
                    )
                by_order[segment.order] = place
            segments[place] = segment
    return segments


def _segment_files(folder: Path) -> list[Path]:
    """The files that define segments; an editor's own and notes (.md) are left alone.

    Raises:
        UsageError: if something else is there, which somebody may believe to be read.
    """
    files = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.name.endswith("~") or path.suffix == ".md":
            continue
        if path.suffix not in SEGMENT_SUFFIXES or not path.is_file():
            raise UsageError(f"{path}: not read: a segment is a file right here, named {', '.join(SEGMENT_SUFFIXES)}")
        files.append(path)
    return files


def _documents(path: Path) -> list[tuple[str, Any]]:
    """One definition, or a list of them, with the place each stands at."""
    content = read_yaml(path)
    if isinstance(content, list):
        return [(f"{path} item {number}", item) for number, item in enumerate(content, start=1)]
    return [(str(path), content)]
