"""The control database: what is written together is seen together, by every process, for good."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from models.errors import GdpError
from warehouse import control
from warehouse.buildlog import BuildRecord, builds, finish_build, start_build
from warehouse.control import (
    InputRecord,
    LandedFile,
    QuarantineFile,
    inputs,
    known_input,
    landed_files,
    last_batch_seq,
    may_know_input,
    next_quarantine_batch,
    opened,
    quarantine_files,
    record_input,
    replayed_rows,
)
from warehouse.control_schema import MIGRATIONS

NOON = datetime(2026, 1, 30, 12, tzinfo=timezone.utc)


def record(**changes: Any) -> InputRecord:
    """An input of three rows, one of each fate."""
    fields: dict[str, Any] = {
        "name": "a.jsonl",
        "form": "jsonl",
        "sha256": "aa",
        "bytes": 10,
        "options": {"tz": None},
        "fingerprint": "f",
        "rows_in": 3,
        "landed": 1,
        "duplicate": 1,
        "quarantined": 1,
        "reasons": {"not_json": 1},
        "landed_at": NOON,
    }
    return InputRecord(**fields | changes)


def landed_file(batch_seq: int, first: datetime = NOON, last: datetime = NOON) -> LandedFile:
    """A landing file of one row."""
    path = f"landing/event/{batch_seq:010d}.parquet"
    return LandedFile(batch_seq, "event", "events", path, 1, 100, "bb", first, last, NOON)


REFUSED = QuarantineFile(1, "quarantine/0000000001.parquet", 1, {"not_json": 1}, "a.jsonl", "jsonl", {"tz": None}, NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a control database will be."""
    return tmp_path / "control.sqlite"


def test_an_input_is_recorded_with_all_that_belongs_to_it(path: Path) -> None:
    """Manifest, quarantine and counts come back as they were given."""
    record_input(path, record(), [landed_file(1), landed_file(2)], REFUSED)
    assert inputs(path) == [record()]
    assert known_input(path, "aa", "f") == record()
    assert known_input(path, "aa", "g") is None
    assert (may_know_input(path, 10), may_know_input(path, 11)) == (True, False)
    assert landed_files(path) == [landed_file(1), landed_file(2)]
    assert quarantine_files(path) == [REFUSED]
    assert (last_batch_seq(path), next_quarantine_batch(path)) == (2, 2)


def test_nothing_is_recorded_if_a_part_cannot_be(path: Path) -> None:
    """A batch number that is taken undoes the whole entry."""
    record_input(path, record(), [landed_file(1)], None)
    with pytest.raises(GdpError, match="UNIQUE"):
        record_input(path, record(sha256="cc"), [landed_file(2), landed_file(1)], REFUSED)
    assert (len(inputs(path)), landed_files(path), quarantine_files(path)) == (1, [landed_file(1)], [])


def test_the_same_input_is_not_recorded_twice(path: Path) -> None:
    """The same bytes under the same reading are one input."""
    record_input(path, record(), [], None)
    with pytest.raises(GdpError, match="UNIQUE"):
        record_input(path, record(name="b.jsonl"), [], None)
    record_input(path, record(fingerprint="g"), [], None)


def test_counts_that_do_not_add_up_are_refused(path: Path) -> None:
    """In code, before the database would."""
    with pytest.raises(AssertionError):
        record_input(path, record(landed=2), [], None)


def test_only_files_that_may_hold_a_time_of_a_range_are_read(path: Path) -> None:
    """Both ends of the range count; the watermark of a build is another filter."""
    day = timedelta(days=1)
    files = [landed_file(number, NOON + number * day, NOON + (number + 1) * day) for number in (1, 2, 3)]
    record_input(path, record(), files, None)
    found = landed_files(path, between=(NOON + 2 * day, NOON + 2.5 * day))
    assert [file.batch_seq for file in found] == [1, 2]
    assert [file.batch_seq for file in landed_files(path, after=2)] == [3]
    assert landed_files(path, entity="other") == []


def test_replayed_rows_are_settled_once(path: Path) -> None:
    """The first outcome stands."""
    record_input(path, record(), [], REFUSED)
    replay = record(sha256="dd", rows_in=1, landed=1, duplicate=0, quarantined=0)
    record_input(path, replay, [], None, [("1-1", "landed")])
    record_input(path, record(sha256="ee"), [], None, [("1-1", "duplicate")])
    assert replayed_rows(path) == {"1-1": "landed"}


def test_the_build_log(path: Path) -> None:
    """The newest first; a build that was killed has no outcome."""
    start_build(path, BuildRecord("000001", NOON, NOON, "full refresh"))
    start_build(path, BuildRecord("000001", NOON, NOON, "full refresh"))
    finish_build(path, "000001", NOON + timedelta(seconds=3), "failed", "a test")
    assert builds(path) == [
        BuildRecord("000001", NOON, NOON, "full refresh", NOON + timedelta(seconds=3), "failed", "a test"),
        BuildRecord("000001", NOON, NOON, "full refresh"),
    ]


def test_it_is_durable_and_private(path: Path) -> None:
    """WAL with a flush on every commit, readable by its owner alone."""
    with opened(path) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert connection.execute("pragma synchronous").fetchone() == (2,)
        assert connection.execute("pragma user_version").fetchone() == (len(MIGRATIONS),)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_newer_or_damaged_file_is_refused(path: Path) -> None:
    """One line that says so; nothing is changed."""
    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(GdpError, match="written by a newer version"):
        landed_files(path)
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(GdpError, match="not a database"):
        landed_files(path)
    with pytest.raises(GdpError, match="cannot be opened"):
        landed_files(path.parent / "none" / "control.sqlite")


def test_older_files_are_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each migration runs once, in one transaction with its number."""
    record_input(path, record(), [landed_file(1)], None)
    later = (*MIGRATIONS, ("create table later (x integer) strict",))
    monkeypatch.setattr(control, "MIGRATIONS", later)
    assert landed_files(path) == [landed_file(1)]
    with opened(path) as connection:
        assert connection.execute("select count(*) from later").fetchone() == (0,)
    broken = (*later, ("create table last (x integer) strict", "create nonsense"))
    monkeypatch.setattr(control, "MIGRATIONS", broken)
    with pytest.raises(GdpError, match="syntax error"):
        landed_files(path)
    monkeypatch.setattr(control, "MIGRATIONS", later)
    assert landed_files(path) == [landed_file(1)]
