"""Files of refused rows: each row with an id, where it stood, why it was refused, and all of it as it came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.reasons import RefusedRow

SCHEMA = pa.schema(
    [
        ("quarantine_id", pa.string()),
        ("row_number", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("raw", pa.binary()),
        ("quarantined_at", pa.timestamp("us", tz="UTC")),
    ]
)

#: So many rows are looked at to say whose they are: the first of all may be a broken one.
_FIRST = 10


class QuarantineWriter:
    """Writes the refused rows of one input as they come; the file exists only if there are any.

    ``reasons`` counts them; ``first`` are the first few of them as they came.

    Args:
        path: the file.
        batch: its number; the n-th row gets the id ``<batch>-<n>``.
        now: the time of the refusals.
    """

    def __init__(self, path: Path, batch: int, now: datetime) -> None:
        self.path = path
        self.batch = batch
        self.reasons: Counter[str] = Counter()
        self.first: list[bytes] = []
        self._now = now
        self._writer: pq.ParquetWriter | None = None

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return self.reasons.total()

    def add(self, rows: Sequence[RefusedRow]) -> None:
        """Write rows."""
        if not rows:
            return
        self._writer = self._writer or pq.ParquetWriter(self.path, SCHEMA, compression="zstd")
        self.first += [row.raw for row in rows[: _FIRST - len(self.first)]]
        first = self.rows + 1
        columns = [
            [f"{self.batch}-{first + offset}" for offset in range(len(rows))],
            [row.row_number for row in rows],
            [row.reason.value for row in rows],
            [row.detail for row in rows],
            [row.raw for row in rows],
            [self._now] * len(rows),
        ]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
        self.reasons.update(row.reason.value for row in rows)

    def close(self) -> None:
        """Finish the file."""
        if self._writer:
            self._writer.close()
            self._writer = None
