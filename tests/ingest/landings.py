"""Builders for the tests of the ways in: an event, a file, a landing, and what is in it afterwards."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest.duckfiles import parquet_files
from ingest.events import land_files
from ingest.options import LandOptions, Writer
from ingest.quarantine import quarantined_rows
from ingest.singles import Singles
from ingest.summary import IngestSummary
from models.landing import BODY_COLUMNS
from tests.engines import asked
from tests.ingest.conftest import BULK_BYTES
from warehouse.control import landed_files
from warehouse.home import Home

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
#: Columns that hold JSON objects.
OBJECTS = {"custom_ids", "properties", "traits", "metadata", "given"}
UTC = timezone.utc


def event(**changes: Any) -> dict[str, Any]:
    """A smallest event, with changes; a change to None leaves the key out."""
    fields = {"eventId": "e1", "personId": "ada", "timestamp": "2026-01-30T12:00:00Z", "eventType": "video_rendered"}
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def jsonl(*lines: Mapping[str, Any] | str | bytes) -> bytes:
    """Lines of a JSONL file; texts and bytes stand as they are."""
    return b"".join(_line(line) + b"\n" for line in lines)


def _line(line: Mapping[str, Any] | str | bytes) -> bytes:
    if isinstance(line, bytes):
        return line
    return line.encode() if isinstance(line, str) else json.dumps(line).encode()


def land(
    home: Home, content: bytes, name: str = "events.jsonl", *, now: datetime = NOW, **options: Any
) -> IngestSummary:
    """Write a file beside the home and land it."""
    path = home.root.parent / name
    path.write_bytes(content)
    return land_files(home, [path], LandOptions(threads=1, **options), now=now)


def landed(home: Home, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of all landed rows, in the order of their batches and rows."""
    files = parquet_files(home.root / file.path for file in landed_files(home.control))
    if not files:
        return []
    with asked() as connection:
        rows = connection.execute(
            f"select {', '.join(columns)} from {files} order by batch_seq, row_number, event_id"
        ).fetchall()
    return [tuple(_in_utc(value) for value in row) for row in rows]


def events_landed(home: Home) -> list[dict[str, Any]]:
    """What each row of a landed file says and when it was received, in the file's order and without what is null."""
    names = [column.name for column in BODY_COLUMNS] + ["received_at"]
    numbered = sorted(landed(home, "row_number", *names), key=itemgetter(0))
    rows = [dict(zip(names, row, strict=True)) for _, *row in numbered]
    return [
        {name: json.loads(value) if name in OBJECTS else value for name, value in row.items() if value is not None}
        for row in rows
    ]


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def outcome(home: Home, summary: IngestSummary, lines: Sequence[str]) -> tuple[Any, ...]:
    """What landing some lines came to, however it was done: counts, what is known afterwards, what was refused.

    Of rows that say the same one lands, or more where an earlier receipt is read after a later one. Which one is not
    said, so of each the earliest receipt counts, and the number of a row if its id stands once in all lines.
    """
    text = "".join(lines)
    first: dict[tuple[Any, ...], tuple[datetime, str]] = {}
    names = [column.name for column in BODY_COLUMNS]
    for id_, key, received, number, *body in landed(home, "event_id", "body_key", "received_at", "row_number", *names):
        row = (received or NOW, repr((number if text.count(f'"{id_}"') == 1 else None, *body)))
        said = (id_, key, received is None)
        first[said] = min(first.get(said, row), row)
    refused = [(row.row_number, row.reason, row.detail, row.raw) for row in quarantined_rows(home)]
    rows_in, taken, duplicate, quarantined = counts(summary)
    return (rows_in, taken + duplicate, quarantined), first, sorted(refused)


def assert_both_ways_agree(writer: Writer, lines: Sequence[str]) -> None:
    """Land lines of a service in bulk and one by one, and compare."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        results = []
        for way, bulk_bytes in BULK_BYTES.items():
            patch.setattr("ingest.messages.BULK_BYTES", bulk_bytes)
            home = Home(Path(folder) / way / "home").ensure()
            results.append(outcome(home, land(home, jsonl(*lines), writer=writer), lines))
        assert results[0] == results[1]


def assert_templates_agree(writer: Writer, lines: Sequence[str | bytes], learnt_from: int) -> int:
    """Land single messages by a template of the first few, and one by one, and compare.

    Returns: how many of them the template wrote.
    """
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        written = []

        def write(self: Singles, texts: pa.Table, *given: Any) -> pa.Table:
            left = by_template(self, texts, *given)
            written.append(texts.num_rows - left.num_rows)
            return left

        by_template = Singles.write
        patch.setattr(Singles, "write", write)
        patch.setattr("ingest.singles.WORTHWHILE", 0)
        patch.setattr("ingest.singles.PIECES", 1)
        patch.setattr("ingest.singles.SAMPLE", learnt_from)
        results = []
        for least in (0, len(lines) + 1):
            patch.setattr("ingest.messages.SINGLES", least)
            home = Home(Path(folder) / str(least) / "home").ensure()
            texts = [line if isinstance(line, str) else line.decode(errors="replace") for line in lines]
            results.append(outcome(home, land(home, jsonl(*lines), writer=writer), texts))
        assert results[0] == results[1]
        return sum(written)


def counts(summary: IngestSummary) -> tuple[int, int, int, int]:
    """rows_in, landed, duplicate, quarantined."""
    return summary.rows_in, summary.landed, summary.duplicate, summary.quarantined


def reasons(summary: IngestSummary) -> dict[str, int]:
    """How many rows were refused, by reason."""
    return dict(sorted(summary.reasons.items()))


def files_below(folder: Path) -> list[str]:
    """The names of all files below a folder, relative to it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def csv(header: Sequence[str], *rows: Iterable[Any]) -> bytes:
    """A plain CSV file without anything that needs quoting."""
    return "".join(",".join(map(str, row)) + "\n" for row in [header, *rows]).encode()
