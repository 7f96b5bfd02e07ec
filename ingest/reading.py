"""Reading one input, whatever its form, into landing files and quarantine that nobody sees yet."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ingest.columns import JSON_VALUE, Column
from ingest.csvfile import CsvFile, read_csv
from ingest.duckfiles import parquet
from ingest.eventcheck import Rules
from ingest.headers import lay_out
from ingest.inputs import Form, Opened
from ingest.jsongate import READ_AHEAD, Lines, scan_lines
from ingest.jsonrows import JsonRows
from ingest.jsontexts import read_texts
from ingest.mappedjson import MappedJson
from ingest.mappedrows import MappedRows
from ingest.mappedsql import RowForm
from ingest.mapping import Mapping
from ingest.options import LandOptions
from ingest.parquetfile import columns_of, numbered_rows, rows_with_large_cells
from ingest.parts import Parts
from ingest.prefetch import prefetched
from ingest.quarantinefile import QuarantineWriter
from ingest.reasons import BrokenFile
from ingest.services import taker_of
from ingest.striperows import count_untimed
from ingest.taker import Taker
from ingest.times import TimeRange
from ingest.trusted import csv_relation, land_trusted
from warehouse.sql import quote_literal

_BATCH_ROWS = 1_000_000
_BATCH_BYTES = 512 << 20


@dataclass
class Reading:
    """The work on one input, and what is known of it so far."""

    source: Opened
    options: LandOptions
    now: datetime
    parts: Parts
    quarantine: QuarantineWriter
    on_progress: Callable[[], None]
    rows_in: int = 0
    columns: tuple[str, ...] = ()
    has_naive_times: bool = False
    untimed_objects: int = 0
    skipped_times: int = 0

    def rules(self, *, is_mapped: bool) -> Rules:
        """What holds for every row."""
        return rules_of(self.options, self.now, is_mapped=is_mapped)

    def row_form(self, columns: tuple[Column, ...]) -> RowForm:
        """How rows with these columns are read."""
        self.columns = tuple(column.name for column in columns)
        return form_of(self.options, columns)


def rules_of(options: LandOptions, now: datetime, *, is_mapped: bool) -> Rules:
    """What holds for every row of an input."""
    return Rules(source=options.source_for(is_mapped=is_mapped), times=TimeRange.at(now))


def form_of(options: LandOptions, columns: tuple[Column, ...]) -> RowForm:
    """How rows with these columns are read.

    Raises:
        UnmappableColumns: if it is not clear.
    """
    mapping = options.mapping or Mapping()
    typed = tuple(replace(column, reading=mapping.types.get(column.name)) for column in columns)
    layout = lay_out(mapping, [column.name for column in columns])
    return RowForm(typed, layout, options.zone, mapping.time_format)


def json_form_of(options: LandOptions, columns: tuple[Column, ...], header: tuple[str, ...] = ()) -> RowForm:
    """How JSON records with these keys are read; what the mapping or the header names besides has no value in them."""
    names = {column.name for column in columns}
    named = (*header, *(options.mapping.named_columns() if options.mapping else ()))
    missing = [Column(name, JSON_VALUE) for name in dict.fromkeys(named) if name not in names]
    return form_of(options, (*columns, *missing))


def read_input(work: Reading, room: Path) -> None:
    """Read an input to its end.

    Raises:
        BrokenFile: if it cannot be read to its end.
        UnmappableColumns: if nobody says what its columns hold.
    """
    try:
        _read_form(work, room)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise BrokenFile(f"cannot be read: {_cause(error, room, work.source.input.name)}") from error


def _cause(error: duckdb.Error, room: Path, name: str) -> str:
    """What DuckDB says of a file, without the class of the error and under the name that the user gave."""
    text = re.sub(r"^(?:[A-Z][A-Za-z]* )+Error: ", "", str(error).splitlines()[0])
    return re.sub(rf"""(['"]?){re.escape(str(room))}/[^'"\s,]*\1""", lambda _: name, text)


def _read_form(work: Reading, room: Path) -> None:
    content, is_mapped = work.source.content, work.options.mapping is not None
    if work.options.writer != "events" and work.source.form in (Form.CSV, Form.PARQUET):
        raise BrokenFile(
            f"what {work.options.writer} delivers is JSON (.jsonl, .json); gdp ingest events reads CSV and Parquet"
        )
    match work.source.form:
        case Form.LINES:
            _read_json(work, scan_lines(content, work.options.max_text_bytes), is_mapped=is_mapped)
        case Form.JSON:
            _read_json(work, read_texts(content, work.options.max_text_bytes), is_mapped=is_mapped)
        case Form.CSV:
            _read_csv(work, room)
        case Form.PARQUET:
            _read_parquet(work, room)


def _read_json(work: Reading, blocks: Iterable[Lines], *, is_mapped: bool) -> None:
    rows = _taker(work, is_mapped=is_mapped)
    for lines in prefetched(blocks, READ_AHEAD):
        rows.take(lines)
        work.quarantine.add(rows.drain_refused())
        work.on_progress()
    rows.finish()
    work.quarantine.add(rows.drain_refused())
    work.rows_in = rows.records
    if work.options.writer == "stripe":
        work.untimed_objects = count_untimed(work.parts)


def _taker(work: Reading, *, is_mapped: bool) -> Taker:
    rules = work.rules(is_mapped=is_mapped)
    place = "line" if work.source.form is Form.LINES else "element"
    if deliveries := taker_of(work.parts, work.options, rules, place=place):
        return deliveries
    if not is_mapped:
        return JsonRows(work.parts, rules)
    return MappedJson(work.parts, lambda columns: json_form_of(work.options, columns), rules)


def _read_csv(work: Reading, room: Path) -> None:
    mapping = work.options.mapping or Mapping()
    delimiter = mapping.delimiter or ("\t" if ".tsv" in work.source.input.path.name.lower() else None)
    file = read_csv(work.source.content, delimiter)
    if file is None:
        return
    columns = tuple(Column(name, "VARCHAR", is_cell=True) for name in file.header)
    form = work.row_form(columns)
    if work.options.trusted and _read_trusted_csv(work, room, columns, file):
        return
    rows = MappedRows(work.parts, form, work.rules(is_mapped=True))
    waiting: list[pa.Table] = []

    def write() -> None:
        if waiting:
            with work.parts.registered("cells", pa.concat_tables(waiting)):
                _note_local_times(work, form, "cells")
                rows.take("cells")
            waiting.clear()
            work.quarantine.add(rows.drain_refused())

    for cells in prefetched(file.rows):
        work.rows_in += len(cells.refused)
        work.quarantine.add(cells.refused)
        waiting.append(cells.table)
        rows_waiting, bytes_waiting = (
            sum(sizes) for sizes in zip(*((t.num_rows, t.nbytes) for t in waiting), strict=True)
        )
        if rows_waiting >= _BATCH_ROWS or bytes_waiting >= _BATCH_BYTES:
            write()
        work.on_progress()
    write()
    rows.finish()
    work.quarantine.add(rows.drain_refused())
    work.rows_in += rows.records


def _read_trusted_csv(work: Reading, room: Path, columns: tuple[Column, ...], file: CsvFile) -> bool:
    """Let DuckDB read the file; false if it refuses to, for the exact reader to say what is wrong."""
    form = work.row_form(tuple(replace(column, is_clean=True) for column in columns))
    relation = csv_relation(
        _linked(work.source, room),
        form.columns,
        file.delimiter,
        is_compressed=work.source.is_compressed,
    )
    try:
        work.rows_in, refused = land_trusted(work.parts, form, relation, work.rules(is_mapped=True))
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        return False
    _note_local_times(work, form, relation)
    work.quarantine.add(refused)
    return True


def _read_parquet(work: Reading, room: Path) -> None:
    path = _unpacked(work.source, room) if work.source.is_compressed else _linked(work.source, room)
    columns = columns_of(work.parts.connection, path, is_clean=work.options.trusted)
    form = work.row_form(columns)
    relation = numbered_rows(path, columns)
    _note_local_times(work, form, relation)
    if work.options.trusted:
        work.rows_in, refused = land_trusted(work.parts, form, relation, work.rules(is_mapped=True))
        work.quarantine.add(refused)
    else:
        _read_parquet_rows(work, form, path)


def _linked(source: Opened, room: Path) -> Path:
    """A link to the input whose name DuckDB cannot take for a pattern."""
    link = room / "source"
    link.symlink_to(source.input.path.absolute())
    return link


def _read_parquet_rows(work: Reading, form: RowForm, path: Path) -> None:
    connection, relation = work.parts.connection, numbered_rows(path, form.columns)
    ((count,),) = connection.execute(f"select count(*) from {parquet(path)}").fetchall()
    rows = MappedRows(work.parts, form, work.rules(is_mapped=True))
    for start in range(0, count, _BATCH_ROWS):
        batch = f"(from {relation} where row_number > {start} and row_number <= {start + _BATCH_ROWS})"
        bearable, refused = rows_with_large_cells(connection, batch, form.columns)
        work.rows_in += len(refused)
        work.quarantine.add(refused)
        rows.take(bearable)
        work.quarantine.add(rows.drain_refused())
        work.on_progress()
    rows.finish()
    work.quarantine.add(rows.drain_refused())
    work.rows_in += rows.records


def _unpacked(source: Opened, room: Path) -> Path:
    """A compressed file's content as a file."""
    with tempfile.NamedTemporaryFile(dir=room, delete=False) as target:
        shutil.copyfileobj(source.content, target, 1 << 20)
    return Path(target.name)


def _note_local_times(work: Reading, form: RowForm, relation: str) -> None:
    """Look whether times lack a zone, by the column's type or its first texts, and count those that never were."""
    column = form.column(form.layout.columns["occurred_at"]) if "occurred_at" in form.layout.columns else None
    local = column.local_time(form.time_format) if column else None
    if column is None or local is None:
        return
    execute = work.parts.connection.execute
    if not work.has_naive_times and not column.is_naive_time:
        texts = execute(f"select {column.text()} from {relation} where {column.sql} is not null limit 100").fetchall()
        work.has_naive_times = any(_is_naive(text) for (text,) in texts if text)
    work.has_naive_times |= column.is_naive_time
    if work.has_naive_times and form.tz != "UTC":
        zone = quote_literal(form.tz)
        there_and_back = f"timezone({zone}, timezone({zone}, moment))"
        ((skipped,),) = execute(
            f"select count(*) from (select {local} as moment from {relation}) where {there_and_back} <> moment"
        ).fetchall()
        work.skipped_times += skipped


def _is_naive(text: str) -> bool:
    date, _, clock = text.replace("T", " ").partition(" ")
    return (
        len(date) >= 8
        and not date.isdigit()
        and not clock.endswith(("Z", "z"))
        and "+" not in clock
        and "-" not in clock
    )
