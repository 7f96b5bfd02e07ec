"""Landing event files: the entry for the command line and for Python."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import duckdb

from ingest.headers import UnmappableColumns
from ingest.inputs import Input, find_inputs
from ingest.knownkeys import KnownKeys
from ingest.landfile import land_file
from ingest.options import LandOptions
from ingest.reasons import BrokenFile
from ingest.summary import FileSummary, IngestSummary
from models.errors import UsageError
from warehouse.home import Home


@dataclass(frozen=True)
class Progress:
    """How far an ingest is: the file it reads, its place among all files, and the bytes of it that are read."""

    name: str
    number: int
    files: int
    bytes_read: int
    bytes_total: int


def land_files(
    home: Home,
    paths: Sequence[str | Path],
    options: LandOptions | None = None,
    *,
    now: datetime,
    stdin: IO[bytes] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestSummary:
    """Land the events of files; each file lands as a whole or not at all, and a broken one does not stop the others.

    Args:
        home: where they land.
        paths: files, folders, patterns, and ``-`` for standard input.
        options: how they are read.
        now: the time of landing, with a zone.
        stdin: what ``-`` reads.
        progress: called now and then while a file is read.

    Returns: the counts, file by file; ``error`` tells of a file that could not be read.

    Raises:
        UsageError: if an argument means no file.
        BusyError: if another ingest does not end in time.
    """
    home.ensure()
    options = options or LandOptions()
    with ExitStack() as stack:
        spooled = None
        if "-" in map(str, paths):
            if stdin is None:
                raise UsageError("-: there is no standard input")
            spooled = stack.enter_context(_spooled(home, stdin))
        inputs = find_inputs([str(path) for path in paths], spooled, home=home.root)
        done, known = [], KnownKeys()
        for number, source in enumerate(inputs, start=1):
            tell = _teller(progress, source, number, len(inputs))
            done.append(_land_or_explain(home, source, options, now, tell, known))
    return IngestSummary(tuple(done))


def _land_or_explain(
    home: Home,
    source: Input,
    options: LandOptions,
    now: datetime,
    tell: Callable[[int, int], None] | None,
    known: KnownKeys,
) -> FileSummary:
    try:
        return land_file(home, source, options, now=now, on_progress=tell, known=known)
    except (BrokenFile, UnmappableColumns) as error:
        return FileSummary(source.name, error=str(error), is_usage_error=isinstance(error, UnmappableColumns))
    except duckdb.Error as error:
        return FileSummary(source.name, error=f"cannot be read: {str(error).splitlines()[0]}")


def _teller(
    progress: Callable[[Progress], None] | None, source: Input, number: int, files: int
) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda read, total: progress(Progress(source.name, number, files, read, total))


class _spooled:  # noqa: N801 (a context manager that reads like a function)
    """Standard input as a file, for as long as the block runs."""

    def __init__(self, home: Home, stdin: IO[bytes]) -> None:
        self._file = tempfile.NamedTemporaryFile(dir=home.staging, prefix="stdin-")  # noqa: SIM115
        shutil.copyfileobj(stdin, self._file, 1 << 20)
        self._file.flush()

    def __enter__(self) -> Path:
        return Path(self._file.name)

    def __exit__(self, *_: object) -> None:
        self._file.close()
