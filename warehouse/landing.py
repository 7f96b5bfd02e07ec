"""The landing: immutable Parquet files whose names are their batch numbers, listed in the control database."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from models.errors import GdpError
from models.landing import ENTITIES, EVENT
from warehouse.control import (
    InputRecord,
    LandedFile,
    QuarantineFile,
    landed_files,
    quarantine_files,
    record_input,
)
from warehouse.debuglog import tell_landed
from warehouse.files import fsync_dir, publish_file, sha256_file
from warehouse.home import Home
from warehouse.locks import exclusive

_NAME = re.compile(r"\d{10}\.parquet")


@dataclass(frozen=True)
class WrittenFile:
    """A finished landing file under a temporary name."""

    path: Path
    batch_seq: int
    rows: int
    min_occurred_at: datetime
    max_occurred_at: datetime
    entity: str = EVENT.name


@dataclass(frozen=True)
class WrittenQuarantine:
    """A finished file of refused rows under a temporary name."""

    path: Path
    batch: int
    rows: int


@contextmanager
def landing_room(home: Home, *, wait: bool | float = True) -> Iterator[Path]:
    """Be the only one who lands, with an empty folder for files on their way.

    What a lander that was killed has left behind is set aside first: files that are not in the manifest. They are kept
    in ``orphaned``, because a control database that was lost or restored leaves files without an entry, too.

    Raises:
        BusyError: if somebody else is landing for longer than ``wait`` seconds.
    """
    with exclusive(home.locks / "landing", "another ingest", wait=wait):
        room = home.staging / "landing"
        shutil.rmtree(room, ignore_errors=True)
        set_aside(home)
        try:
            room.mkdir(mode=0o700)
            for entity in ENTITIES:
                (home.landing / entity.name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise GdpError(f"{error.filename} cannot be made: {error.strerror}") from None
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)


def publish_input(
    home: Home,
    record: InputRecord,
    written: Sequence[WrittenFile],
    quarantine: WrittenQuarantine | None,
    replayed: Sequence[tuple[str, str]] = (),
    also: Callable[[sqlite3.Connection], None] | None = None,
) -> None:
    """Give an input's files their names and make them count, all at once.

    Until the last step, one transaction of the control database, nobody sees any of it; a crash before it leaves files
    without an entry, which the next lander sets aside. ``also`` writes what becomes true in that transaction, too.
    """
    files = [_publish(home, file, record) for file in written]
    kept = None
    if quarantine is not None:
        final = home.quarantine / f"{quarantine.batch:010d}.parquet"
        quarantine.path.chmod(0o600)
        publish_file(quarantine.path, final)
        kept = QuarantineFile(
            batch=quarantine.batch,
            path=str(final.relative_to(home.root)),
            rows=quarantine.rows,
            reasons=record.reasons,
            input_name=record.name,
            input_form=record.form,
            options=record.options,
            created_at=record.landed_at,
        )
    record_input(home.control, record, files, kept, replayed, also)
    tell_landed((file.entity, home.root / file.path) for file in files)


def _publish(home: Home, file: WrittenFile, record: InputRecord) -> LandedFile:
    final = home.landing / file.entity / f"{file.batch_seq:010d}.parquet"
    file.path.chmod(0o600)
    sha256 = sha256_file(file.path)
    publish_file(file.path, final)
    return LandedFile(
        batch_seq=file.batch_seq,
        entity=file.entity,
        source_kind=str(record.options.get("writer", "events")),
        path=str(final.relative_to(home.root)),
        rows=file.rows,
        bytes=final.stat().st_size,
        sha256=sha256,
        min_occurred_at=file.min_occurred_at,
        max_occurred_at=file.max_occurred_at,
        landed_at=record.landed_at,
    )


def set_aside(home: Home) -> None:
    """Move the files that the manifest does not list into ``orphaned``; only under the lock of the landing."""
    landed = {home.root / file.path for file in landed_files(home.control)}
    refused = {home.root / file.path for file in quarantine_files(home.control)}
    for entity in ENTITIES:
        _move_unlisted(home, home.landing / entity.name, landed)
    _move_unlisted(home, home.quarantine, refused)


def _move_unlisted(home: Home, folder: Path, listed: set[Path]) -> None:
    if not folder.is_dir():
        return
    left = [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path not in listed]
    if not left:
        return
    home.orphaned.mkdir(mode=0o700, exist_ok=True)
    for path in left:
        target = home.orphaned / f"{folder.name}-{path.name}"
        for number in count(2):
            if not target.exists():
                break
            target = home.orphaned / f"{folder.name}-{path.stem}-{number}.parquet"
        path.rename(target)
    fsync_dir(home.orphaned)
    fsync_dir(folder)
