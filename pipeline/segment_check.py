"""Checking the files of segments before a build reads them: all that is wrong, and what looks misspelt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from analytics.segment_names import known_event_types, known_properties, unknown_names
from analytics.segment_tree import tree_of
from analytics.segment_words import sentence
from analytics.table import Column, Sheet, Table
from models.base import Shape
from models.errors import UsageError
from pipeline.project import Project
from warehouse.definitions import SEGMENT_FOLDER
from warehouse.reader import current_generation, open_warehouse
from warehouse.segment_files import Defined, SegmentFiles, check_side_by_side, read_segment_files, read_segments


class CheckedSegment(Shape):
    """A segment whose definition can be built, where it stands, and what it says."""

    segment_id: str
    place: str
    says: str


class CheckResult(Shape):
    """What is right in files of segments, what is wrong, and which names nothing answers to."""

    segments: tuple[CheckedSegment, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    def table(self) -> Sheet:
        """One screen."""
        rows = tuple((one.segment_id, one.says) for one in self.segments)
        return Sheet(
            f"Segments: {len(self.segments)} right, {len(self.problems)} wrong",
            (*(f"wrong: {text}" for text in self.problems), *(f"warning: {text}" for text in self.warnings)),
            (Table((Column("segment"), Column("says")), rows),) if rows else (),
        )


def check_segments(project: Project, files: Sequence[Path] = ()) -> CheckResult:
    """Check the files of a project's segments, or some files, in that folder or not, beside the others.

    Where something is built, names in the rules are looked up in it.

    Raises:
        UsageError: if there is no folder of definitions.
    """
    chosen = {path.resolve() for path in files}
    together = beside(project, files) if files else read_segments(_folder(project))
    right = [one for one in together.defined if not chosen or one.part.path.resolve() in chosen]
    wrong = [one for one in together.problems if not chosen or one.path.resolve() in chosen]
    return CheckResult(
        segments=tuple(
            CheckedSegment(segment_id=one.segment.segment_id, place=str(one.part), says=sentence(tree_of(one.segment)))
            for one in right
        ),
        problems=tuple(str(one.error) for one in wrong),
        warnings=tuple(_warnings(project, right)),
    )


def beside(project: Project, files: Sequence[Path]) -> SegmentFiles:
    """Segments of some files with all others of the project; a definition in the files replaces one of its id."""
    chosen = {path.resolve() for path in files}
    mine = read_segment_files(files)
    ids = {one.segment.segment_id for one in mine.defined}
    folder = _folder(project)
    inside = {path for path in chosen if path.parent == folder.resolve()}
    others = read_segments(folder)
    kept = [one for one in others.defined if one.part.path.resolve() not in chosen]
    if not inside:
        kept = [one for one in kept if one.segment.segment_id not in ids]
    return check_side_by_side(SegmentFiles((*kept, *mine.defined), mine.problems))


def _folder(project: Project) -> Path:
    folder = project.definitions_folder
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of definitions (gdp init makes one)")
    return folder / SEGMENT_FOLDER


def _warnings(project: Project, defined: Sequence[Defined]) -> Iterator[str]:
    if not project.home.exists or current_generation(project.home) is None:
        return
    with open_warehouse(project.home) as warehouse:
        event_types, properties = known_event_types(warehouse), known_properties(warehouse)
    for one in defined:
        for name, text in unknown_names(one.segment, event_types, properties):
            yield f"{one.part.at_text(name)}: {text}"
