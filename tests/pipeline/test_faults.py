"""Builds that are killed, disks that are full, readers that never stop: the published generation stays whole."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.projects import Studio
from warehouse.reader import open_warehouse

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("dbt_apart")]
START = datetime(2026, 3, 1, tzinfo=timezone.utc)


def batch(number: int, size: int = 200) -> list[dict[str, Any]]:
    """Events of one delivery; each carries the delivery's number."""
    return [
        {
            "eventId": f"{number}-{row}",
            "personId": f"user-{(number * 7 + row) % 40}",
            "timestamp": (START + timedelta(hours=number, minutes=row % 60)).isoformat(),
            "eventType": "video_rendered",
            "properties": {"delivery": number},
        }
        for row in range(size)
    ]


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL the command and everything it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_builds_killed_at_random_moments_change_nothing(tmp_path: Path) -> None:
    """Whatever the moment: readers keep the generation they had and the next build succeeds."""
    studio = Studio.make(tmp_path / "studio")
    studio.land("first", batch(0))
    studio.build("--as-of", "2026-03-10")
    chance = random.Random(11)
    killed = 0
    for number in range(1, 9):
        studio.land(f"b{number}", batch(number))
        before = studio.home.current.readlink(), studio.hashes()
        process = studio.start("build", "--as-of", "2026-03-10")
        time.sleep(chance.uniform(0.3, 6.0))
        if process.poll() is None:
            kill(process)
            killed += 1
            assert (studio.home.current.readlink(), studio.hashes()) == before
    assert killed >= 4
    studio.build("--as-of", "2026-03-10")
    incremental = studio.hashes()
    studio.build("--as-of", "2026-03-10", "--full-refresh")
    assert studio.hashes() == incremental
    assert not list(studio.home.build.glob("*.wal"))


def test_a_killed_parent_takes_dbt_with_it(tmp_path: Path) -> None:
    """A dbt that lives on without its build would write into the next build's file."""
    studio = Studio.make(tmp_path / "studio")
    studio.land("first", batch(0))
    process = studio.start("build", "--as-of", "2026-03-10")
    time.sleep(2.5)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    studio.ok("build", "--as-of", "2026-03-10", "--wait", "5")


def test_readers_in_a_loop_never_fail_and_never_see_a_mixture(tmp_path: Path) -> None:
    """A dozen builds, every third one killed, while readers open, ask and close without pause."""
    studio = Studio.make(tmp_path / "studio")
    studio.land("b0", batch(0))
    studio.build("--as-of", "2026-03-10")
    stop, errors, answers = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            try:
                with open_warehouse(studio.home, threads=1) as warehouse:
                    answers.append((warehouse.generation, *consistent(warehouse)))
            except Exception as error:
                errors.append(repr(error))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    chance = random.Random(5)
    try:
        for number in range(1, 13):
            studio.land(f"b{number}", batch(number))
            process = studio.start("build", "--as-of", "2026-03-10")
            if number % 3 == 0:
                time.sleep(chance.uniform(0.5, 5.0))
                if process.poll() is None:
                    kill(process)
            else:
                assert process.wait(timeout=300) == 0
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert errors == []
    assert len(answers) > 100
    assert len({generation for generation, *_ in answers}) >= 6
    assert all(events == daily == persons for _, events, daily, persons in answers)


def consistent(warehouse: Any) -> tuple[int, int, int]:
    """Three tables that agree in every generation: events, their daily counts, the persons' totals."""
    return (
        warehouse.scalar("select count(*) from event"),
        warehouse.scalar("select sum(events)::bigint from event_daily"),
        warehouse.scalar("select sum(total_events)::bigint from person"),
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_publishes_nothing_and_loses_nothing(small_disk: Path) -> None:
    """One line and exit code 1; when there is room again the same commands succeed."""
    studio = Studio.make(small_disk / "studio")
    studio.land("first", batch(0, size=2000))
    studio.build("--as-of", "2026-03-10")
    before = studio.home.current.readlink(), studio.hashes()

    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(b"x" * (free - 300_000))
    extra = small_disk.parent / "extra.jsonl"
    extra.write_text(
        "".join(
            f'{{"eventId":"x{n}","personId":"u{n}","timestamp":"2026-03-02T00:00:00Z",'
            f'"eventType":"video_rendered","note":"{random.random()}"}}\n'
            for n in range(40_000)
        )
    )
    landing = studio.gdp("ingest", "events", extra)
    assert landing.code == 1
    assert "Traceback" not in landing.err
    building = studio.gdp("build", "--as-of", "2026-03-11", "--full-refresh")
    assert building.code == 1
    assert "Traceback" not in building.err
    assert (studio.home.current.readlink(), studio.hashes()) == before

    ballast.unlink()
    landed = studio.ok("ingest", "events", extra, "--format", "json").json
    assert (landed["rows_in"], landed["landed"]) == (40_000, 40_000)
    studio.build("--as-of", "2026-03-11")
    assert studio.ok("sql", "select count(*) as n from event", "--format", "json").json == [{"n": 42_000}]
