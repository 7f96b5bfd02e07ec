"""The definitions folder: files under the user's own version control that say what things mean."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from models.catalog import EventCatalog
from models.errors import UsageError
from models.identity import IdentityRules
from models.segment import SegmentDefinition
from warehouse.yaml_file import Model, read_yaml, validate

CATALOG_FILE = "events.yml"
IDENTITY_FILE = "identity.yml"
SEGMENT_FOLDER = "segments"


@dataclass(frozen=True)
class Definitions:
    """All definitions of a project, checked, segments in the order of their files' names."""

    catalog: EventCatalog
    identity: IdentityRules
    segments: tuple[SegmentDefinition, ...]


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
    return Definitions(
        catalog=_load(EventCatalog, folder / CATALOG_FILE),
        identity=_load(IdentityRules, folder / IDENTITY_FILE),
        segments=_load_segments(folder / SEGMENT_FOLDER),
    )


def _load(model: type[Model], path: Path) -> Model:
    return validate(model, (read_yaml(path) or {}) if path.exists() else {}, str(path))


def _load_segments(folder: Path) -> tuple[SegmentDefinition, ...]:
    found: dict[str, Path] = {}
    segments = []
    for path in sorted((*folder.glob("*.yml"), *folder.glob("*.yaml"), *folder.glob("*.json"))):
        if path.name.startswith("."):
            continue  # an editor's own file
        for place, data in _documents(path):
            segment = validate(SegmentDefinition, data, place)
            if segment.segment_id in found:
                raise UsageError(
                    f"{place}: segment {segment.segment_id!r} is already defined in {found[segment.segment_id]}"
                )
            found[segment.segment_id] = path
            segments.append(segment)
    return tuple(segments)


def _documents(path: Path) -> list[tuple[str, Any]]:
    """One definition, or a list of them, with the place each stands at."""
    content = read_yaml(path)
    if isinstance(content, list):
        return [(f"{path} item {number}", item) for number, item in enumerate(content, start=1)]
    return [(str(path), content)]
