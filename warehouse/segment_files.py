"""The files in which segments are defined: all of them read, with everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.errors import UsageError
from models.segment import SegmentDefinition
from models.segment_graph import cohorts_of, in_order
from warehouse.segment_sql import segment_sql
from warehouse.sql_part import read_sql_part
from warehouse.yaml_file import validate
from warehouse.yaml_part import YamlPart, read_parts

SEGMENT_SUFFIXES = (".yml", ".yaml", ".json", ".sql")


@dataclass(frozen=True)
class Defined:
    """A segment and where it is defined."""

    segment: SegmentDefinition
    part: YamlPart


@dataclass(frozen=True)
class Wrong:
    """What is wrong in a file."""

    path: Path
    error: UsageError


@dataclass(frozen=True)
class SegmentFiles:
    """What files of segments say: what is defined, in the order of files, and what is wrong."""

    defined: tuple[Defined, ...]
    problems: tuple[Wrong, ...]

    @property
    def definitions(self) -> tuple[SegmentDefinition, ...]:
        """The segments alone."""
        return tuple(one.segment for one in self.defined)


def read_segments(folder: Path) -> SegmentFiles:
    """Read every file of a folder; one that is not there defines nothing."""
    try:
        files = _files_in(folder)
    except UsageError as error:
        return SegmentFiles((), (Wrong(folder, error),))
    return check_side_by_side(read_segment_files(files))


def read_segment_files(files: Iterable[Path]) -> SegmentFiles:
    """Read files one by one; whether they go together is not looked at."""
    defined: list[Defined] = []
    problems: list[Wrong] = []
    for path in files:
        try:
            parts = [read_sql_part(path)] if path.suffix == ".sql" else read_parts(path)
        except UsageError as error:
            problems.append(Wrong(path, error))
            continue
        for part in parts:
            try:
                segment = validate(SegmentDefinition, part.data, part.at)
                if segment.sql is not None:
                    _check_sql(segment.sql, part)
                defined.append(Defined(segment, part))
            except UsageError as error:
                problems.append(Wrong(path, error))
    return SegmentFiles(tuple(defined), tuple(problems))


def check_side_by_side(files: SegmentFiles) -> SegmentFiles:
    """The same with what is wrong among them: one id or order twice, a cohort that is not there, a circle."""
    problems = list(files.problems)
    by_id: dict[str, Defined] = {}
    by_order: dict[int, Defined] = {}
    for one in files.defined:
        segment, path = one.segment, one.part.path
        if (other := by_id.setdefault(segment.segment_id, one)) is not one:
            text = f"{one.part}: segment {segment.segment_id!r} is already defined in {other.part}"
            problems.append(Wrong(path, UsageError(text)))
        elif "order" in segment.model_fields_set and (other := by_order.setdefault(segment.order, one)) is not one:
            text = (
                f"{one.part}: order {segment.order} is already that of {other.part}:"
                " it decides which of several segments is a person's"
            )
            problems.append(Wrong(path, UsageError(text)))
    # A segment that a broken file defines would look as if it were not there.
    return SegmentFiles(
        tuple(by_id.values()), tuple(problems or _wrong_cohorts(by_id) or _without_past(by_id.values()))
    )


def _wrong_cohorts(by_id: dict[str, Defined]) -> list[Wrong]:
    asking: list[YamlPart] = []

    def place_of(asks: str, asked: str) -> str:
        asking.append(by_id[asks].part)
        return by_id[asks].part.at_text(asked)

    try:
        in_order((one.segment for one in by_id.values()), place_of)
    except UsageError as error:
        return [Wrong(asking[-1].path, error)]
    return []


def _check_sql(sql: str, part: YamlPart) -> None:
    try:
        segment_sql(sql)
    except UsageError as error:
        separator = " " if part.path.suffix == ".sql" and str(error).startswith("line ") else ": "
        raise UsageError(f"{part}{separator}{error}") from None


def _without_past(defined: Iterable[Defined]) -> list[Wrong]:
    """Rules that ask for a segment of which only the present is known."""
    segments = [one.segment for one in defined]
    present = {one.segment_id for one in segments if one.sql is not None and not segment_sql(one.sql).has_history}
    return [
        Wrong(
            one.part.path,
            UsageError(
                f"{one.part.at_text(cohort)}: segment {cohort!r} has no past, so no rule can ask for it:"
                " its query would have to give entered_at and exited_at"
            ),
        )
        for one in defined
        for cohort in cohorts_of(one.segment.rules)
        if cohort in present
    ]


def _files_in(folder: Path) -> list[Path]:
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
