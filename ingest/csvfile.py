"""CSV read strictly: UTF-8, one header, every row as long as it; what breaks the quoting breaks the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import pyarrow as pa

from ingest.reasons import Reason, RefusedRow
from models import limits
from models.errors import GdpError

DELIMITERS = (",", ";", "\t", "|")
#: A block is so many rows, or fewer if they take this many bytes of the file; it is looked at every so many rows.
BLOCK_ROWS = 50_000
_BLOCK_BYTES = 32 << 20
_LOOK_EVERY = 64


class BrokenFile(GdpError):
    """A file that cannot be read to its end; nothing of it lands."""


@dataclass(frozen=True)
class Cells:
    """Rows of a CSV file: a table of ``row_number`` and a text column for each header, and the rows that do not fit."""

    table: pa.Table
    refused: list[RefusedRow] = field(default_factory=list)


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose header has been read."""

    header: list[str]
    delimiter: str
    newline: str
    rows: Iterator[Cells]


def read_csv(stream: IO[bytes], delimiter: str | None = None) -> CsvFile:
    """The header of a CSV file, and its rows block by block.

    A byte order mark is passed over. Without a delimiter, the one of comma, semicolon, tab and bar that the header
    holds most often is taken. Rows count from 1 behind the header; blank lines do not count.

    Raises:
        BrokenFile: if there is no header, a name stands in it twice, or, while reading, the text is not UTF-8 or the
            quoting is broken.
    """
    csv.field_size_limit(limits.MAX_EVENT_BYTES)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        first = text.readline()
    except UnicodeDecodeError as error:
        raise BrokenFile(f"not UTF-8 in or behind line 1 ({error.reason}); convert the file to UTF-8") from None
    if not first.strip():
        raise BrokenFile("no header: the first line is empty")
    delimiter = delimiter or sniff_delimiter(first)
    reader = csv.reader(_with_first(first, text), delimiter=delimiter, strict=True)
    header = _header(reader)
    newline = first[len(first.rstrip("\r\n")) :] or "\n"
    return CsvFile(header, delimiter, newline, _blocks(reader, header, stream.tell))


def sniff_delimiter(header: str) -> str:
    """The delimiter of a header line: the one that it holds most often outside quotes."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _with_first(first: str, rest: io.TextIOWrapper) -> Iterator[str]:
    yield first
    yield from rest


def _header(reader: Any) -> list[str]:
    try:
        names = [name.strip() for name in next(reader)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise BrokenFile(f"no header: {error}") from None
    names = [name or f"column_{number}" for number, name in enumerate(names, start=1)]
    lowered = [name.lower() for name in names]
    for name in names:
        if lowered.count(name.lower()) > 1:
            raise BrokenFile(f"the header names {name!r} twice")
    if "row_number" in lowered:
        names[lowered.index("row_number")] = "row_number_"
    return names


def _blocks(reader: Any, header: list[str], position: Callable[[], int]) -> Iterator[Cells]:
    rows: list[list[str]] = []
    numbers: list[int] = []
    refused: list[RefusedRow] = []
    number, start = 0, position()
    try:
        for row in reader:
            if not row:
                continue
            number += 1
            if len(row) == len(header):
                rows.append(row)
                numbers.append(number)
            else:
                detail = f"{len(row)} cells where the header has {len(header)} (line {reader.line_num})"
                raw = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")
                refused.append(RefusedRow(number, Reason.RAGGED_ROW, detail, raw))
            count = len(rows) + len(refused)
            if count >= BLOCK_ROWS or (count % _LOOK_EVERY == 0 and position() - start >= _BLOCK_BYTES):
                yield Cells(_table(header, numbers, rows), refused)
                rows, numbers, refused, start = [], [], [], position()
    except csv.Error as error:
        raise BrokenFile(f"broken CSV in or before line {reader.line_num}: {error}") from None
    except UnicodeDecodeError as error:
        line = reader.line_num or 1
        raise BrokenFile(f"not UTF-8 in or behind line {line} ({error.reason}); convert the file to UTF-8") from None
    yield Cells(_table(header, numbers, rows), refused)


def _table(header: list[str], numbers: list[int], rows: list[list[str]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    arrays = [pa.array(list(column), pa.string()) for column in columns]
    return pa.table([pa.array(numbers, pa.int64()), *arrays], names=["row_number", *header])
