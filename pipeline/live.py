"""Who is in a segment by everything that has landed: the published build, and what came since about one person.

A running process keeps it open; each question first looks whether something landed, was built or was defined meanwhile.

    with open_live(find_project(folder), clock=lambda: datetime.now(timezone.utc)) as live:
        live.is_in_segment("user_id:4711", "power_users")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from analytics.names import require_segments
from analytics.segment_explain import Explanation, explain
from analytics.segment_members import Membership, is_member
from models.errors import GdpError, UsageError, nearest
from pipeline import plan as planning
from pipeline.known import Known, read_known
from pipeline.project import Project
from warehouse.control import landed_files
from warehouse.debuglog import tell
from warehouse.reader import current_generation


@dataclass
class Live:
    """Answers about single persons that are as new as the landing."""

    project: Project
    clock: Callable[[], datetime]
    _known: Known | None = None
    _seen: object = None

    @property
    def rows_since_build(self) -> int:
        """How many rows landed since the published build."""
        return self.known().unbuilt.rows

    @property
    def built_as_of(self) -> datetime:
        """The published build's now."""
        return self.known().warehouse.as_of

    def is_in_segment(self, person: str, segment_id: str, *, as_of: datetime | None = None) -> bool:
        """Whether somebody, by any identifier, is in a segment: what a build of all that landed would say.

        Segments that are queries, or ask for one, are answered from the published build.

        Raises:
            UsageError: for an unknown segment, or somebody of whom nothing landed.
            GdpError: if nothing is published, or it would have to be made from nothing.
        """
        return self.membership(person, segment_id, as_of=as_of).is_member

    def membership(self, person: str, segment_id: str, *, as_of: datetime | None = None) -> Membership:
        """Whether somebody is in a segment, with the moment; raises as ``is_in_segment``."""
        known = self.known()
        moment = as_of or self.clock()
        _require(known, segment_id)
        if segment_id in known.queries:
            return is_member(known.warehouse, person, segment_id, as_of=as_of)
        key, _ = known.identifier(person)
        stays = known.stays(key, segment_id)
        is_in = any(entered <= moment and (exited is None or exited > moment) for entered, exited in stays)
        tell("segments", "segment_asked", segment_id=segment_id, identifier_key=key, as_of=moment, is_member=is_in)
        return Membership(segment_id=segment_id, person=person, is_member=is_in, as_of=moment)

    def explain(self, person: str, segment_id: str, *, as_of: datetime | None = None) -> Explanation:
        """Why somebody is in a segment, or is not; raises as ``is_in_segment``."""
        known = self.known()
        _require(known, segment_id)
        key, name = known.identifier(person)
        engine = known.warehouse if segment_id in known.queries else known.engine(key)
        return explain(engine, known.definitions.segments, segment_id, name, as_of=as_of or self.clock())

    def close(self) -> None:
        """Let go of the generation."""
        if self._known is not None:
            self._known.unbuilt.connection.close()
            self._known = None

    def known(self) -> Known:
        """What is known, read again if something was built, landed or defined since the last question."""
        home = self.project.existing_home()
        path = current_generation(home)
        if path is None:
            raise GdpError(f"no warehouse in {home.root} yet: run gdp build")
        files = tuple(landed_files(home.control))
        seen = (path, tuple(file.path for file in files), _edits(self.project.definitions_folder))
        if self._known is None or seen != self._seen:
            self.close()
            self._known, self._seen = _read(self.project, path), seen
        return self._known


@contextmanager
def open_live(project: Project, *, clock: Callable[[], datetime]) -> Iterator[Live]:
    """Answers about single persons, as new as the landing.

    Args:
        project: whose warehouse, definitions and landing.
        clock: the present, for questions without a moment.
    """
    live = Live(project, clock)
    try:
        yield live
    finally:
        live.close()


def _require(known: Known, segment_id: str) -> None:
    if segment_id not in known.by_id:
        hint = nearest(segment_id, known.by_id) or "no segment is defined"
        raise UsageError(f"unknown segment {segment_id!r} ({hint})")
    if segment_id in known.queries:
        require_segments(known.warehouse, [segment_id])


def _edits(folder: Path) -> frozenset[tuple[str, int, int]]:
    """The files of the definitions, and what changes with them."""
    found = set()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # an editor may replace it in this moment
            status = path.stat()
            found.add((str(path), status.st_mtime_ns, status.st_size))
    return frozenset(found)


def _read(project: Project, path: Path) -> Known:
    home, definitions = project.existing_home(), project.definitions()
    reason, changed = planning.changes_since(home, definitions)
    config = {"memory_limit": project.settings.memory_limit, "threads": str(project.settings.thread_count)}
    files = landed_files(home.control)
    return read_known(home, path, files, definitions, changed=changed, outdated=reason, config=config)
