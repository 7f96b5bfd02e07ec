"""An ingest that is killed, at whatever step: nothing is half landed, and the next one makes everything good."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.events import land_files
from ingest.options import LandOptions
from tests.ingest.landings import NOW, counts, event, files_below, jsonl, landed
from warehouse.control import inputs, landed_files, quarantine_files
from warehouse.home import Home

ROOT = Path(__file__).parent.parent.parent
#: The steps of a landing: the functions in front of (or behind) which the process dies.
STEPS = [
    ("warehouse.landing", "landing_room", 1),
    ("ingest.landfile", "read_input", 1),
    ("ingest.parts", "Parts._finish", 1),
    ("ingest.parts", "Parts._finish", 2),
    ("warehouse.landing", "sha256_file", 1),
    ("warehouse.landing", "publish_file", 1),
    ("warehouse.landing", "publish_file", 2),
    ("warehouse.landing", "publish_file", 3),
    ("warehouse.landing", "record_input", 1),
    ("warehouse.control", "_json", 3),
]
CHILD = """
import importlib, os, signal, sys
from datetime import datetime
from pathlib import Path
module, name, nth, when, home, file = sys.argv[1:]
import ingest.events
import ingest.jsonrows
from warehouse.home import Home
ingest.jsonrows.BATCH_BYTES = 4
import ingest.jsongate
ingest.jsongate.BLOCK_BYTES = 2000
owner = importlib.import_module(module)
*path, name = name.split(".")
for part in path:
    owner = getattr(owner, part)
inner, calls = getattr(owner, name), 0
def dies(*args, **kwargs):
    global calls
    calls += 1
    if calls == int(nth) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = inner(*args, **kwargs)
    if calls == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(owner, name, dies)
now = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
ingest.events.land_files(Home(Path(home)), [file], ingest.events.LandOptions(threads=1), now=now)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Events for two landing files, and a row that is refused."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(jsonl(*(event(eventId=f"e{number}") for number in range(30)), "nope"))
    return path


def consistent(home: Home) -> tuple[int, int]:
    """Rows landed and refused, after a look at whether manifest, files and counts agree."""
    files = landed_files(home.control)
    assert all((home.root / one.path).stat().st_size == one.bytes for one in files)
    refused = quarantine_files(home.control)
    assert all((home.root / one.path).exists() for one in refused)
    rows = sum(one.rows for one in files)
    assert len(landed(home, "event_id")) == rows == sum(record.landed for record in inputs(home.control))
    return rows, sum(one.rows for one in refused)


def run_child(*arguments: object) -> int:
    """Run the child to its death; returns its exit code."""
    return subprocess.run([sys.executable, "-c", CHILD, *map(str, arguments)], cwd=ROOT, check=False).returncode


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "behind"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[1]} {step[2]}")
def test_killed_at_every_step(home: Home, file: Path, step: tuple[str, str, int], when: str) -> None:
    """Either nothing of the file counts or all of it; landing it again gives what one whole landing gives."""
    code = run_child(*step, when, home.root, file)
    if step[1] == "landing_room":
        assert code in (0, -signal.SIGKILL)
    else:
        assert code == -signal.SIGKILL
    assert consistent(home) in [(0, 0), (30, 1)]
    summary = land_files(home, [file], LandOptions(threads=1), now=NOW)
    assert counts(summary) in [(31, 30, 0, 1), (31, 0, 31, 0)]
    assert consistent(home) == (30, 1)
    kept = [f"landing/event/{one.batch_seq:010d}.parquet" for one in landed_files(home.control)]
    found = [name for name in files_below(home.root) if not name.startswith("orphaned/")]
    assert found == sorted(["control.sqlite", *kept, "locks/landing", "quarantine/0000000001.parquet"])


def test_killed_between_the_names_and_the_count(home: Home, file: Path) -> None:
    """Files that have their names but no entry are nobody's; the next ingest sets them aside."""
    assert run_child("warehouse.landing", "record_input", 1, "before", home.root, file) == -signal.SIGKILL
    assert len(files_below(home.landing)) >= 2
    assert consistent(home) == (0, 0)
    assert counts(land_files(home, [file], LandOptions(threads=1), now=NOW)) == (31, 30, 0, 1)
    assert consistent(home) == (30, 1)


@pytest.mark.slow
def test_killed_at_random_moments(home: Home, tmp_path: Path) -> None:
    """Twenty landings through the command line, each killed somewhere."""
    expected = 0
    for number in range(20):
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(jsonl(*(event(eventId=f"{number}-{row}") for row in range(20_000))))
        expected += 20_000
        command = [sys.executable, "-m", "cli.app", "--home", home.root, "ingest", "events", path]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3 + 0.06 * number)
        process.kill()
        process.wait()
        assert consistent(home)[0] in (expected - 20_000, expected)
        land_files(home, [path], LandOptions(threads=1), now=NOW)
        assert consistent(home)[0] == expected


def test_a_full_disk_lands_nothing(home: Home, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and what was begun is gone."""
    import warehouse.landing

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(home.landing))

    monkeypatch.setattr(warehouse.landing, "publish_file", full)
    with pytest.raises(OSError, match="No space left"):
        land_files(home, [file], LandOptions(threads=1), now=NOW)
    monkeypatch.undo()
    assert files_below(home.staging) == []
    assert consistent(home) == (0, 0)
    assert counts(land_files(home, [file], LandOptions(threads=1), now=NOW)) == (31, 30, 0, 1)


def test_two_at_a_time_take_turns(home: Home, tmp_path: Path) -> None:
    """Both land all of theirs; a batch number is never given twice."""
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.jsonl")
        paths[-1].write_bytes(jsonl(*(event(eventId=f"{number}-{row}") for row in range(100))))
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "cli.app", "--home", home.root, "ingest", "events", path, "--format", "json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env={**os.environ, "NO_COLOR": "1"},
        )
        for path in paths
    ]
    assert [json.loads(process.communicate()[0])["landed"] for process in running] == [100, 100, 100]
    assert [file.batch_seq for file in landed_files(home.control)] == [1, 2, 3]
