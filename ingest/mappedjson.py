"""JSON records with keys of their own, read by a mapping as if each key were a column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from ingest import strictjson
from ingest.columns import JSON_VALUE, Column, sql_name
from ingest.eventcheck import Rules
from ingest.headers import UnmappableColumns
from ingest.jsongate import Lines
from ingest.mappedrows import MappedRows
from ingest.mappedsql import RowForm
from ingest.parts import Parts
from ingest.reasons import Reason, Refused, RefusedRow

_BATCH_BYTES = 128 << 20


class MappedJson:
    """Takes JSON records, block by block; the keys of a batch are its columns.

    Args:
        parts: where the rows go.
        form_of: makes the form of records with these columns.
        rules: what holds for all rows.
    """

    def __init__(self, parts: Parts, form_of: Callable[[tuple[Column, ...]], RowForm], rules: Rules) -> None:
        self.records = 0
        self._parts = parts
        self._form_of = form_of
        self._rules = rules
        self._refused: list[RefusedRow] = []
        self._waiting: list[tuple[int, dict[str, str]]] = []
        self._waiting_bytes = 0
        self._names: dict[str, None] = {}
        self._read_as: dict[str, str] = {}

    def take(self, lines: Lines) -> None:
        """Take a block of lines; blank ones are no records."""
        self._refused.extend(lines.refused)
        self.records += len(lines.refused)
        for number, text in zip(lines.numbers.to_pylist(), lines.texts.to_pylist(), strict=True):
            if not text.strip(" \t\r\n"):
                continue
            try:
                self._waiting.append((number, _columns_of(strictjson.parse(text))))
                self._waiting_bytes += len(text)
            except Refused as refusal:
                self.records += 1
                self._refused.append(RefusedRow(number, refusal.reason, refusal.detail, text.encode()))
        if self._waiting_bytes >= _BATCH_BYTES:
            self._write_batch()

    def finish(self) -> None:
        """Write what is waiting."""
        self._write_batch()
        self._parts.flush_checked()

    def drain_refused(self) -> list[RefusedRow]:
        """The rows refused since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def _write_batch(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not waiting:
            return
        self._names |= dict.fromkeys(name for _, record in waiting for name in record)
        form = self._form_of(tuple(Column(name, JSON_VALUE) for name in self._names))
        self._refuse_other_reading(form)
        columns = [column.name for column in form.columns]
        arrays = [pa.array([record.get(name) for _, record in waiting], pa.string()) for name in columns]
        numbers = pa.array([number for number, _ in waiting], pa.int64())
        rows = MappedRows(self._parts, form, self._rules)
        with self._parts.registered(
            "records", pa.table([numbers, *arrays], names=["row_number", *map(sql_name, columns)])
        ):
            rows.take("records")
        self.records += rows.records
        self._refused.extend(rows.drain_refused())

    def _refuse_other_reading(self, form: RowForm) -> None:
        """A key that first appears far down must not change what earlier records were read as."""
        for field, column in self._read_as.items():
            if form.layout.columns.get(field) != column:
                raise UnmappableColumns(
                    f"{field} was read from {column!r} until record {self.records:,}, and"
                    f" {form.layout.columns.get(field)!r} appears later: give --map {field}=KEY"
                )
        self._read_as = dict(form.layout.columns)


def _columns_of(record: Any) -> dict[str, str]:
    if not isinstance(record, dict):
        raise Refused(Reason.NOT_AN_OBJECT, "a record is a JSON object")
    lowered = {key.lower() for key in record}
    if len(lowered) < len(record):
        raise Refused(Reason.DUPLICATE_KEY, "two keys differ only in upper and lower case, which columns cannot")
    if "" in record:
        raise Refused(Reason.UNKNOWN_VALUE, "a key is empty, which no column can be called")
    return {key: strictjson.write(value) for key, value in record.items() if value is not None}
