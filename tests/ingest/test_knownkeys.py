"""Many small inputs: what one run remembers of landing files changes nothing but its pace."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import land_files
from ingest.knownkeys import KnownKeys
from ingest.options import LandOptions
from tests.ingest.landings import NOW, event, landed
from tests.ingest.stripes import landed_stripe, stripe_event
from warehouse.home import Home

RECEIVED = st.sampled_from([None, "2026-01-30T12:00:00Z", "2026-01-30T13:00:00Z"])
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), RECEIVED), min_size=1, max_size=3)


def row_of(writer: str, number: int, body: int, received: str | None) -> dict[str, Any]:
    """A row of few different ones."""
    if writer == "events":
        return event(eventId=f"e{number}", properties={"a": body}, receivedAt=received)
    told = stripe_event(id=f"evt_{number}", pending_webhooks=body)
    return {"received_at": received, "body": told} if received else told


def land_inputs(home: Home, writer: Any, files: Sequence[Path]) -> list[tuple[Any, ...]]:
    """Land files in one run: the counts of each."""
    summary = land_files(home, files, LandOptions(writer=writer, threads=1), now=NOW)
    assert [file.error for file in summary.files] == [None] * len(files)
    return [(file.rows_in, file.landed, file.duplicate) for file in summary.files]


@settings(max_examples=3)
@given(st.sampled_from(["events", "stripe"]), st.lists(ROWS, min_size=4, max_size=8))
def test_a_run_over_many_files_is_as_many_runs(writer: Any, inputs: list[list[tuple[int, int, str | None]]]) -> None:
    """Repeats are found across files as if each had been handed in by itself, and every landed file were read."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.jsonl" for number in range(len(inputs))]
        for path, rows in zip(files, inputs, strict=True):
            # A file of its own bytes each: equal ones would be known by their hash.
            lines = [*(json.dumps(row_of(writer, *row)) for row in rows), " " * int(path.stem)]
            path.write_text("\n".join(lines) + "\n")
        together, apart = (Home(Path(folder) / name).ensure() for name in ("together", "apart"))
        counted = land_inputs(together, writer, files)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(KnownKeys, "holders", lambda _, __, ___, landed_files: landed_files)
            assert counted == [land_inputs(apart, writer, [path])[0] for path in files]
        columns = ("delivery_id", "body_key", "received_at") if writer == "stripe" else ("event_id", "body_key")
        read = landed_stripe if writer == "stripe" else landed
        assert sorted(read(together, *columns), key=str) == sorted(read(apart, *columns), key=str)


def test_only_files_that_hold_a_key_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones are read once, large ones every time; many rows are not asked for one by one."""
    with duckdb.connect() as connection:
        files = [tmp_path / f"{number}.parquet" for number in range(4)]
        for number, path in enumerate(files):
            connection.execute(f"copy (select {number} as body_key) to '{path}' (format parquet)")
        connection.execute("create table given as select 2 as body_key")
        known = KnownKeys()
        assert known.holders(connection, "given", files[:3]) == [files[2]]
        for path in files[:3]:
            path.write_bytes(b"no file of Parquet, and not read again")
        assert known.holders(connection, "given", files) == [files[2]]
        monkeypatch.setattr("ingest.knownkeys._SMALL_BYTES", 0)
        assert KnownKeys().holders(connection, "given", files) == files
        gone = [*files, tmp_path / "gone.parquet"]
        assert known.holders(connection, "given", gone) == [files[2], gone[-1]]
        monkeypatch.setattr("ingest.knownkeys._FEW_ROWS", 0)
        assert known.holders(connection, "given", files) == files
