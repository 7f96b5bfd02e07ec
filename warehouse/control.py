"""The control database: what has been handed in, what landed where, what is in quarantine.

The one mutable state that processes share: SQLite with a write-ahead log, flushed on every commit. Functions take its
path; each opens it, does one thing, and closes it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from models.errors import GdpError
from warehouse.control_schema import MIGRATIONS

_BUSY_SECONDS = 30


@dataclass(frozen=True)
class InputRecord:
    """One input that was read to its end: its bytes, the way they were read, and what became of its rows.

    The same bytes read in the same way (``fingerprint``) are never landed twice.
    """

    name: str
    form: str
    sha256: str
    bytes: int
    options: Mapping[str, Any]
    fingerprint: str
    rows_in: int
    landed: int
    duplicate: int
    quarantined: int
    reasons: Mapping[str, int]
    landed_at: datetime


@dataclass(frozen=True)
class LandedFile:
    """One landing file of the manifest; ``path`` is relative to the home."""

    batch_seq: int
    entity: str
    source_kind: str
    path: str
    rows: int
    bytes: int
    sha256: str
    min_occurred_at: datetime
    max_occurred_at: datetime
    landed_at: datetime


@dataclass(frozen=True)
class QuarantineFile:
    """One file of refused rows; ``path`` is relative to the home, ``batch`` is the number in its name."""

    batch: int
    path: str
    rows: int
    reasons: Mapping[str, int]
    input_name: str
    input_form: str
    options: Mapping[str, Any]
    created_at: datetime


@contextmanager
def opened(control: Path) -> Iterator[sqlite3.Connection]:
    """Open the control database, made or brought up to date where it must be; closed when the block ends.

    Raises:
        GdpError: if the file is damaged, of a newer version, or cannot be written.
    """
    try:
        os.close(os.open(control, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(control, timeout=_BUSY_SECONDS, isolation_level=None)
    except OSError as error:
        raise GdpError(f"{control} cannot be opened: {error.strerror}") from None
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        _migrate(connection, control)
        yield connection
    except sqlite3.DatabaseError as error:
        raise GdpError(f"{control}: {error}") from error
    finally:
        connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block's writes or none of them; durable when the block has ended."""
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _migrate(connection: sqlite3.Connection, control: Path) -> None:
    version = _version(connection)
    if version == len(MIGRATIONS):
        return
    if version > len(MIGRATIONS):
        raise GdpError(f"{control} was written by a newer version of gdp (schema {version}, known {len(MIGRATIONS)})")
    with transaction(connection):
        for number in range(_version(connection), len(MIGRATIONS)):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
        connection.execute(f"pragma user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("pragma user_version").fetchone()
    return int(version)


# Inputs and landing -----------------------------------------------------------------------------------------------


def known_input(control: Path, sha256: str, fingerprint: str) -> InputRecord | None:
    """What became of the same bytes read in the same way, if they were handed in before."""
    with opened(control) as connection:
        row = connection.execute(
            f"select {_INPUT_FIELDS} from input where sha256 = ? and fingerprint = ?", (sha256, fingerprint)
        ).fetchone()
    return None if row is None else _input_record(row)


def inputs_of_content(control: Path, sha256: str) -> list[InputRecord]:
    """What became of the same bytes whichever way they were read, oldest first."""
    with opened(control) as connection:
        rows = connection.execute(
            f"select {_INPUT_FIELDS} from input where sha256 = ? order by input_id", (sha256,)
        ).fetchall()
    return [_input_record(row) for row in rows]


def may_know_input(control: Path, size: int) -> bool:
    """Whether any input of this size was handed in before: if not, its bytes need not be hashed to know them."""
    with opened(control) as connection:
        return connection.execute("select 1 from input where bytes = ? limit 1", (size,)).fetchone() is not None


def inputs(control: Path) -> list[InputRecord]:
    """Everything that was handed in, oldest first."""
    with opened(control) as connection:
        rows = connection.execute(f"select {_INPUT_FIELDS} from input order by input_id").fetchall()
    return [_input_record(row) for row in rows]


def landed_files(
    control: Path, *, entity: str | None = None, after: int = 0, between: tuple[datetime, datetime] | None = None
) -> list[LandedFile]:
    """The landing files that count, by batch_seq.

    Args:
        control: the control database.
        entity: only files of this kind of rows.
        after: only files of higher numbers.
        between: only files that may hold a time of this range.
    """
    first, last = (as_text(between[0]), as_text(between[1])) if between else ("", "9999")
    with opened(control) as connection:
        rows = connection.execute(
            "select batch_seq, entity, source_kind, path, rows, bytes, sha256,"
            " min_occurred_at, max_occurred_at, landed_at from landing_file"
            " where entity = coalesce(?, entity) and batch_seq > ? and max_occurred_at >= ? and min_occurred_at <= ?"
            " order by batch_seq",
            (entity, after, first, last),
        ).fetchall()
    return [LandedFile(*row[:7], *map(as_time, row[7:])) for row in rows]


def last_batch_seq(control: Path) -> int:
    """The highest batch number that was ever given, 0 before the first."""
    with opened(control) as connection:
        (number,) = connection.execute(
            "select max((select coalesce(max(batch_seq), 0) from landing_file),"
            " (select coalesce(max(seq), 0) from sqlite_sequence where name = 'landing_file'))"
        ).fetchone()
    return int(number)


def next_quarantine_batch(control: Path) -> int:
    """The number of the next file of refused rows."""
    with opened(control) as connection:
        (number,) = connection.execute(
            "select 1 + max((select coalesce(max(batch), 0) from quarantine_file),"
            " (select coalesce(max(quarantine_batch), 0) from forgotten_input))"
        ).fetchone()
    return int(number)


def record_input(
    control: Path,
    record: InputRecord,
    files: Iterable[LandedFile],
    quarantine: QuarantineFile | None,
    replayed: Iterable[tuple[str, str]] = (),
    also: Callable[[sqlite3.Connection], None] | None = None,
) -> None:
    """Make an input's rows count: its landing files, its refused rows and its counts become visible at once.

    Args:
        control: the control database.
        record: the input; ``rows_in`` must be the sum of the other counts.
        files: its landing files, already under their final names.
        quarantine: its file of refused rows, if there are any.
        replayed: (quarantine id, outcome) of the refused rows that this input settles.
        also: writes what else is to become true in the same transaction.
    """
    assert record.rows_in == record.landed + record.duplicate + record.quarantined, record
    with opened(control) as connection, transaction(connection):
        (input_id,) = connection.execute(
            "select 1 + max((select coalesce(max(input_id), 0) from input),"
            " (select coalesce(max(input_id), 0) from forgotten_input))"
        ).fetchone()
        connection.execute(
            f"insert into input (input_id, {_INPUT_FIELDS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                input_id,
                *(record.name, record.form, record.sha256, record.bytes, _json(record.options), record.fingerprint),
                *(record.rows_in, record.landed, record.duplicate, record.quarantined, _json(record.reasons)),
                as_text(record.landed_at),
            ),
        )
        for file in files:
            connection.execute(
                "insert into landing_file values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(file.batch_seq, file.entity, file.source_kind, file.path, file.rows, file.bytes, file.sha256),
                    *(as_text(file.min_occurred_at), as_text(file.max_occurred_at), as_text(file.landed_at), input_id),
                ),
            )
        if quarantine is not None:
            connection.execute(
                "insert into quarantine_file values (?, ?, ?, ?, ?, ?)",
                (
                    *(quarantine.batch, quarantine.path, quarantine.rows, _json(quarantine.reasons)),
                    *(as_text(quarantine.created_at), input_id),
                ),
            )
        connection.executemany(
            "insert or ignore into quarantine_replay values (?, ?, ?, ?)",
            [(row_id, as_text(record.landed_at), outcome, input_id) for row_id, outcome in replayed],
        )
        if also is not None:
            also(connection)


_INPUT_FIELDS = (
    "name, form, sha256, bytes, options, fingerprint, rows_in, landed, duplicate, quarantined, reasons, landed_at"
)


def _input_record(row: tuple[Any, ...]) -> InputRecord:
    name, form, sha256, size, options, fingerprint, *counts, reasons, landed_at = row
    rows_in, landed, duplicate, quarantined = counts
    return InputRecord(
        name=name,
        form=form,
        sha256=sha256,
        bytes=size,
        options=json.loads(options),
        fingerprint=fingerprint,
        rows_in=rows_in,
        landed=landed,
        duplicate=duplicate,
        quarantined=quarantined,
        reasons=json.loads(reasons),
        landed_at=as_time(landed_at),
    )


# Quarantine -------------------------------------------------------------------------------------------------------


def quarantine_files(control: Path) -> list[QuarantineFile]:
    """The files of refused rows, oldest first."""
    with opened(control) as connection:
        rows = connection.execute(
            "select file.batch, file.path, file.rows, file.reasons, input.name, input.form, input.options,"
            " file.created_at from quarantine_file as file inner join input using (input_id) order by file.batch"
        ).fetchall()
    return [
        QuarantineFile(batch, path, count, json.loads(reasons), name, form, json.loads(options), as_time(created_at))
        for batch, path, count, reasons, name, form, options, created_at in rows
    ]


def replayed_rows(control: Path) -> dict[str, str]:
    """The ids of refused rows that have been settled since, and whether each landed or was there already."""
    with opened(control) as connection:
        return dict(connection.execute("select quarantine_id, outcome from quarantine_replay").fetchall())


# Times ------------------------------------------------------------------------------------------------------------


def as_text(moment: datetime) -> str:
    """A time as text that sorts like the time: UTC, always six digits of a second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def as_time(text: str) -> datetime:
    """The time that ``as_text`` wrote."""
    return datetime.fromisoformat(text)


def _json(value: object) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, sort_keys=True)
