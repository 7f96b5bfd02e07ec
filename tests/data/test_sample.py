"""The committed sample is what the simulator writes, whatever wrote its gzip and Parquet."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ingest.simulator.simulate import Arguments, simulate
from tests.conftest import SAMPLE


def contents(folder: Path) -> dict[str, Any]:
    """What each file holds, by path."""
    return {str(path.relative_to(folder)).removesuffix(".gz"): _content(path) for path in folder.rglob("*.*")}


def _content(path: Path) -> Any:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_the_sample_is_what_the_simulator_writes(tmp_path: Path) -> None:
    """Byte for byte, on every machine: `make sample` makes it anew."""
    arguments = json.loads((SAMPLE / "manifest.json").read_bytes())["arguments"]
    simulate(Arguments(**arguments | {"start": date.fromisoformat(arguments["start"])}), tmp_path / "world")
    committed, written = contents(SAMPLE), contents(tmp_path / "world")
    assert len(written) > 30
    assert committed.keys() == written.keys()
    assert [name for name in written if committed[name] != written[name]] == []


def test_the_sample_is_small() -> None:
    """A clone carries it."""
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*.*")) < 1_000_000
