"""Builders for the tests of the simulator: a world, its deliveries, its truth."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from ingest.simulator.simulate import Arguments, simulate

DAYS = 120


def world(folder: Path, persons: int = 200, *, days: int = DAYS, seed: int = 11) -> Path:
    """The folder of a simulated world."""
    simulate(Arguments(persons, days, seed), folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of all files, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def raw_lines(folder: Path, kind: str) -> list[bytes]:
    """All lines of one kind of file, in the order of months; also of files that were gzipped since."""
    return [line for path in sorted((folder / kind).iterdir()) for line in _bytes(path).splitlines()]


def _bytes(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


@cache
def deliveries(folder: Path, kind: str) -> tuple[dict[str, Any], ...]:
    """The deliveries of a service that are as they should be."""
    lines = (line for line in raw_lines(folder, kind) if line.startswith(b"{"))
    return tuple(json.loads(line) for line in lines if b"broken" not in line and b"\xff" not in line)


@cache
def app_events(folder: Path) -> tuple[dict[str, Any], ...]:
    """The application's events that are as they should be, each as often as it was delivered."""
    lines = (line for line in raw_lines(folder, "app") if line.startswith(b"{"))
    return tuple(json.loads(line) for line in lines if b'"eventId":"b-' not in line and b'"eventId":" "' not in line)


def calls(folder: Path) -> Iterator[dict[str, Any]]:
    """Segment's calls, those of batches one by one, each as often as it was delivered."""
    for delivery in deliveries(folder, "segment"):
        yield from delivery["body"].get("batch", [delivery["body"]])


def truth(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the truth; tables are named as its files are."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for path in (folder / "truth").iterdir():
            connection.execute(f"create view {path.stem} as from '{path}'")
        return connection.execute(sql).fetchall()
