"""Landing files and refused rows with what the project's settings allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import IO

from ingest.events import Progress, land_files
from ingest.options import LandOptions
from ingest.replay import ReplaySummary, replay
from ingest.summary import IngestSummary
from pipeline.project import Project


def land(
    project: Project,
    paths: Sequence[str],
    options: LandOptions,
    *,
    now: datetime,
    stdin: IO[bytes] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestSummary:
    """Land files in the project's home, which is made where there is none (``ingest.events.land_files``)."""
    return land_files(project.home, paths, land_options(project, options), now=now, stdin=stdin, progress=progress)


def replay_rows(
    project: Project,
    ids: Sequence[str],
    options: LandOptions,
    *,
    now: datetime,
    edits: Mapping[str, bytes] | None = None,
    reason: str | None = None,
) -> ReplaySummary:
    """Try refused rows of the project's quarantine again (``ingest.replay.replay``)."""
    home, allowed = project.existing_home(), land_options(project, options)
    return replay(home, ids, now=now, options=allowed, edits=edits, reason=reason)


def land_options(project: Project, options: LandOptions | None = None) -> LandOptions:
    """How inputs are read, with what the settings allow."""
    settings = project.settings
    return replace(options or LandOptions(), threads=settings.thread_count, memory_limit=settings.memory_limit)
