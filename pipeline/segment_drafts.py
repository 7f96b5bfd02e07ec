"""Segments that are not defined yet: tried on the published build, and written into the definitions."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from analytics.segment_diff import DiffResult, diff_definition
from analytics.segment_names import known_event_types, known_properties, unknown_names
from analytics.segment_preview import PreviewResult, preview
from models.errors import UsageError
from models.segment import SegmentDefinition
from pipeline.project import STARTER, Project
from pipeline.segment_check import beside
from warehouse.definitions import SEGMENT_FOLDER
from warehouse.files import publish_file
from warehouse.reader import current_generation, open_warehouse
from warehouse.segment_files import Defined, SegmentFiles, read_segments

_IS_SQL = re.compile(r"\s*(--|/\*|\(|(select|with|from|values)\b(?!\s*:))", re.IGNORECASE)


@dataclass(frozen=True)
class CreatedSegment:
    """A segment that was written into the definitions, where, and which of its names nothing answers to."""

    segment: SegmentDefinition
    path: Path
    replaced: bool
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md."""
        return {
            "segmentId": self.segment.segment_id,
            "path": str(self.path),
            "replaced": self.replaced,
            "warnings": list(self.warnings),
        }


def preview_file(project: Project, file: Path, *, as_of: datetime | None = None, examples: int = 5) -> PreviewResult:
    """Who the segment of a file would hold, worked out from the published build; nothing is changed.

    Raises:
        UsageError: if the file does not define one segment that goes with the others, or nothing is built.
    """
    files = beside(project, [file])
    draft = _only(files, file)
    with open_warehouse(project.existing_home(), sandbox=True) as warehouse:
        return preview(warehouse, draft.segment, files.definitions, as_of=as_of, examples=examples)


def diff_file(project: Project, segment_id: str, file: Path) -> DiffResult:
    """Who would enter and who would leave a published segment if it were the one of a file.

    Raises:
        UsageError: if the file does not define one segment that goes with the others, or nothing of the id is built.
    """
    files = beside(project, [file])
    draft = _only(files, file)
    with open_warehouse(project.existing_home(), sandbox=True) as warehouse:
        return diff_definition(warehouse, segment_id, draft.segment, files.definitions)


def create_segment(project: Project, definition: str | Mapping[str, Any], *, replace: bool = False) -> CreatedSegment:
    """Write a segment into the definitions, as a file of its own that is called like its id.

    Args:
        project: whose definitions.
        definition: YAML, JSON or SQL text, which is kept as it stands, or what such a text says.
        replace: whether the file of a segment of this id is replaced.

    Raises:
        UsageError: if it is no segment, does not go with the others, or there is one of its id already.
    """
    folder = project.definitions_folder
    if folder == STARTER / "definitions":
        raise UsageError("the project has no folder of definitions (gdp init makes one)")
    text = definition if isinstance(definition, str) else json.dumps(definition, indent=2, ensure_ascii=False) + "\n"
    suffix = ".json" if text.lstrip().startswith("{") else ".sql" if _IS_SQL.match(text) else ".yml"
    (folder / SEGMENT_FOLDER).mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as room:
        draft = Path(room) / f"segment{suffix}"
        draft.write_text(text, encoding="utf-8")
        try:
            files = beside(project, [draft])
            found = _only(files, draft)
        except UsageError as error:
            raise UsageError(str(error).replace(str(draft), "the new segment")) from None
        path, replaced = _place(project, found.segment, suffix, replace=replace)
        warnings = _warnings(project, found.segment)
        publish_file(draft, path)
    if replaced and replaced != path:
        replaced.unlink()
    return CreatedSegment(found.segment, path, replaced is not None, warnings)


def _only(files: SegmentFiles, file: Path) -> Defined:
    """The one segment of a file, if it and all others are right."""
    for problem in files.problems:
        raise problem.error
    found = [one for one in files.defined if one.part.path == file]
    if len(found) != 1:
        raise UsageError(f"{file}: it defines {len(found)} segments; give a file of one")
    return found[0]


def _place(project: Project, segment: SegmentDefinition, suffix: str, *, replace: bool) -> tuple[Path, Path | None]:
    """The file that a new segment gets, and the one that it replaces."""
    folder = project.definitions_folder / SEGMENT_FOLDER
    path = folder / f"{segment.segment_id}{suffix}"
    defined = [one.part for one in read_segments(folder).defined if one.segment.segment_id == segment.segment_id]
    if not defined:
        if path.exists():
            raise UsageError(f"{path}: the file is there already, and defines another segment")
        return path, None
    (old,) = defined
    if not replace:
        raise UsageError(f"segment {segment.segment_id!r} is already defined in {old.path} (--replace replaces it)")
    if old.item is not None:
        raise UsageError(f"{old}: a file that is a list is not replaced: change it there")
    return path, old.path


def _warnings(project: Project, segment: SegmentDefinition) -> tuple[str, ...]:
    if not project.home.exists or current_generation(project.home) is None:
        return ()
    with open_warehouse(project.home) as warehouse:
        found = unknown_names(segment, known_event_types(warehouse), known_properties(warehouse))
        return tuple(text for _, text in found)
