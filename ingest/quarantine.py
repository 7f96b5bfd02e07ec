"""What is in quarantine: counted, and shown row by row. Landing it is ``replay``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.reasons import Reason
from models.errors import UsageError, nearest
from warehouse.control import QuarantineFile, quarantine_files, replayed_rows
from warehouse.home import Home


@dataclass(frozen=True)
class QuarantineCount:
    """How many rows of one input were refused for one reason, and how many of them still wait."""

    batch: int
    file: str
    reason: str
    refused: int
    waiting: int
    since: datetime

    def to_json(self) -> dict[str, Any]:
        """The count as plain values (docs/json.md)."""
        return {
            "batch": self.batch,
            "file": self.file,
            "reason": self.reason,
            "refused": self.refused,
            "waiting": self.waiting,
            "since": self.since.isoformat(),
        }


@dataclass(frozen=True)
class QuarantinedRow:
    """One refused row; ``outcome`` says what a replay made of it, None while it waits."""

    id: str
    file: str
    row_number: int | None
    reason: str
    detail: str
    raw: bytes
    since: datetime
    outcome: str | None

    @property
    def text(self) -> str:
        """The row as it came; bytes that are no text are written out."""
        return self.raw.decode("utf-8", "backslashreplace")

    def to_json(self) -> dict[str, Any]:
        """The row as plain values (docs/json.md)."""
        return {
            "id": self.id,
            "file": self.file,
            "row_number": self.row_number,
            "reason": self.reason,
            "detail": self.detail,
            "raw": self.text,
            "since": self.since.isoformat(),
            "outcome": self.outcome,
        }


def count_quarantine(home: Home) -> list[QuarantineCount]:
    """How many rows are in quarantine, by input and reason, the newest input first."""
    if not home.control.exists():
        return []
    settled: dict[int, set[str]] = {}
    for row_id in replayed_rows(home.control):
        settled.setdefault(int(row_id.partition("-")[0]), set()).add(row_id)
    counts = []
    for file in reversed(quarantine_files(home.control)):
        gone = _reasons_of(home, file, settled[file.batch]) if file.batch in settled else Counter()
        counts += [
            QuarantineCount(file.batch, file.input_name, reason, refused, refused - gone[reason], file.created_at)
            for reason, refused in sorted(file.reasons.items())
        ]
    return counts


def quarantined_rows(
    home: Home, ids: Sequence[str] = (), *, reason: str | None = None, waiting_only: bool = False
) -> list[QuarantinedRow]:
    """Rows by their ids (``12-3``, or ``12`` for all rows of a batch); without ids, all rows, oldest first.

    Raises:
        UsageError: if there is no such row or reason.
    """
    files = {file.batch: file for file in quarantine_files(home.control)} if home.control.exists() else {}
    if reason is not None:
        known = {*map(str, Reason), *(name for file in files.values() for name in file.reasons)}
        if reason not in known:
            raise UsageError(f"no row is refused for {reason!r} ({nearest(reason, known)})")
    wanted = _wanted(ids, files)
    outcomes = replayed_rows(home.control) if files else {}
    found = []
    for batch, row_ids in wanted.items():
        for row in pq.read_table(home.root / files[batch].path).to_pylist():
            outcome = outcomes.get(row["quarantine_id"])
            if (
                (row_ids is None or row["quarantine_id"] in row_ids)
                and (reason is None or row["reason"] == reason)
                and not (waiting_only and outcome)
            ):
                found.append(_row(row, files[batch], outcome))
    missing = {row_id for row_ids in wanted.values() for row_id in row_ids or ()} - {row.id for row in found}
    if missing and reason is None and not waiting_only:
        raise UsageError(f"no row {sorted(missing)[0]} in quarantine (gdp quarantine show lists them)")
    return found


def _row(row: dict[str, Any], file: QuarantineFile, outcome: str | None) -> QuarantinedRow:
    return QuarantinedRow(
        id=row["quarantine_id"],
        file=file.input_name,
        row_number=row["row_number"],
        reason=row["reason"],
        detail=row["detail"],
        raw=row["raw"],
        since=file.created_at,
        outcome=outcome,
    )


def _wanted(ids: Sequence[str], files: dict[int, QuarantineFile]) -> dict[int, set[str] | None]:
    """The batches to read, and which of their rows; None for all of them."""
    if not ids:
        return dict.fromkeys(sorted(files))
    wanted: dict[int, set[str] | None] = {}
    for row_id in ids:
        batch, dash, number = row_id.partition("-")
        if not (batch.isascii() and batch.isdigit() and (not dash or (number.isascii() and number.isdigit()))):
            raise UsageError(f"{row_id!r} is no id of a row in quarantine, such as 12-3, or of a batch, such as 12")
        if int(batch) not in files:
            raise UsageError(f"no batch {batch} in quarantine (gdp quarantine list shows them)")
        if not dash:
            wanted[int(batch)] = None
        elif (rows := wanted.setdefault(int(batch), set())) is not None:
            rows.add(row_id)
    return wanted


def _reasons_of(home: Home, file: QuarantineFile, ids: set[str]) -> Counter[str]:
    table = pq.read_table(home.root / file.path, columns=["quarantine_id", "reason"])
    chosen = table.filter(pc.is_in(table["quarantine_id"], pa.array(sorted(ids), pa.string())))
    return Counter(chosen["reason"].to_pylist())
