"""Locks and files of the landing: one lander at a time, leftovers gone, names given last."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from models.errors import BusyError, GdpError
from tests.warehouse.test_control import REFUSED, landed_file, record
from warehouse.control import landed_files, quarantine_files, record_input
from warehouse.files import fsync_dir, publish_file, sha256_file
from warehouse.home import Home
from warehouse.landing import WrittenFile, WrittenQuarantine, landing_room, publish_input
from warehouse.locks import exclusive

ROOT = Path(__file__).parent.parent.parent


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    """Another process is told who is at work, at once or when its patience ends."""
    path = tmp_path / "lock"
    with exclusive(path, "a build"):
        with pytest.raises(BusyError, match=rf"a build is running \(pid {os.getpid()}\)"), exclusive(path, "a build"):
            pass
        before = time.monotonic()
        with pytest.raises(BusyError), exclusive(path, "a build", wait=0.2):
            pass
        assert time.monotonic() - before >= 0.2
    with exclusive(path, "a build"):
        pass


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    """As long as it takes."""
    path, order = tmp_path / "lock", []

    def hold() -> None:
        with exclusive(path, "x"):
            held.set()
            time.sleep(0.2)
            order.append("first")

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    with exclusive(path, "x", wait=True):
        order.append("second")
    holder.join()
    assert order == ["first", "second"]


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    """Nobody has to clean up behind a process that was killed."""
    code = (
        "import sys, os; from pathlib import Path; from warehouse.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 'x'): os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "lock")], cwd=ROOT, check=False)
    with exclusive(tmp_path / "lock", "x"):
        pass
    with pytest.raises(GdpError, match="cannot be opened"), exclusive(tmp_path / "none" / "lock", "x"):
        pass


def test_files_are_published_whole(tmp_path: Path) -> None:
    """The old name holds the new content, the temporary name is gone."""
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "final").write_bytes(b"old")
    publish_file(tmp_path / "new", tmp_path / "final")
    fsync_dir(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["final"]
    assert sha256_file(tmp_path / "final") == "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"


def written(home: Home, room: Path, batch_seq: int) -> WrittenFile:
    """A finished landing file."""
    path = room / f"landing-{batch_seq}"
    path.write_bytes(b"rows")
    file = landed_file(batch_seq)
    return WrittenFile(path, batch_seq, 1, file.min_occurred_at, file.max_occurred_at)


def test_an_input_is_published_as_a_whole(home: Home) -> None:
    """Files have their final names, private, and the manifest lists them."""
    with landing_room(home) as room:
        (room / "refused").write_bytes(b"refused")
        publish_input(
            home, record(), [written(home, room, 1), written(home, room, 2)], WrittenQuarantine(room / "refused", 1, 1)
        )
    assert not (home.staging / "landing").exists()
    assert [(file.batch_seq, file.bytes, file.sha256) for file in landed_files(home.control)] == [
        (number, 4, sha256_file(home.landing / "event" / f"{number:010d}.parquet")) for number in (1, 2)
    ]
    assert [file.path for file in quarantine_files(home.control)] == [REFUSED.path]
    assert {path.stat().st_mode & 0o777 for path in home.landing.rglob("*.parquet")} == {0o600}


def test_leftovers_are_cleared_and_nothing_else(home: Home) -> None:
    """Names above the last number were never seen by anybody; other files are not ours to touch."""
    with landing_room(home) as room:
        publish_input(home, record(), [written(home, room, 1)], None)
    landing = home.landing / "event"
    for name in ("0000000002.parquet", "0000000007.parquet", "notes.txt"):
        (landing / name).write_bytes(b"x")
    (home.quarantine / "0000000001.parquet").write_bytes(b"x")
    (home.staging / "landing").mkdir()
    (home.staging / "landing" / "half").write_bytes(b"x")
    (home.staging / "other").write_bytes(b"x")
    with landing_room(home) as room:
        assert list(room.iterdir()) == []
        assert sorted(path.name for path in landing.iterdir()) == ["0000000001.parquet", "notes.txt"]
        assert list(home.quarantine.iterdir()) == []
    assert [path.name for path in home.staging.iterdir()] == ["other"]


def test_only_one_lands_at_a_time(home: Home) -> None:
    """The second is told, and can wait."""
    with landing_room(home), pytest.raises(BusyError, match="another ingest is running"), landing_room(home, wait=0.1):
        pass


def test_a_number_is_never_given_twice(home: Home) -> None:
    """Not even when the manifest forgets the file."""
    from warehouse.control import last_batch_seq, opened

    record_input(home.control, record(), [landed_file(7)], None)
    with opened(home.control) as connection:
        connection.execute("delete from landing_file")
    assert last_batch_seq(home.control) == 7
