"""CSV read in columns: UTF-8, one header, every row as long as it; lines that are no such row are refused.

Arrow reads what is plainly in order, some megabytes at a time; only where it is not, records are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

import pyarrow as pa
import pyarrow.csv

from ingest.columns import sql_name
from ingest.csvrecords import Grammar, Sifted, count_lines, rest_of_line
from ingest.reasons import BrokenFile, RefusedRow
from models import limits

DELIMITERS = (",", ";", "\t", "|")
#: How much of a file is read at once.
BLOCK_BYTES = 4 << 20
#: How much of it is looked at record by record where something is not in order.
_SIFTED_BYTES = 64 << 10
_BOM = b"\xef\xbb\xbf"


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


@dataclass(frozen=True)
class Cells:
    """Rows of a CSV file: a table of ``row_number`` and a text column for each header (by its ``sql_name``).

    ``refused`` are the rows that do not fit.
    """

    table: pa.Table
    refused: list[RefusedRow] = field(default_factory=list)


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose header has been read."""

    header: list[str]
    delimiter: str
    rows: Iterator[Cells]


def read_csv(stream: Readable, delimiter: str | None = None) -> CsvFile | None:
    """The header of a CSV file, and its rows block by block; None if there is nothing in the file.

    A byte order mark is passed over. Without a delimiter, the one of comma, semicolon, tab and bar that the header
    holds most often is taken. Rows count from 1 behind the header; blank lines do not count.

    Raises:
        BrokenFile: if there is no header, or a name stands in it twice.
    """
    pieces = _pieces(stream)
    text, is_last = b"", False
    while not is_last and len(text) <= limits.MAX_EVENT_BYTES:
        piece = next(pieces, b"")
        text, is_last = text + piece, not piece
        line, newline = _first_line(text.removeprefix(_BOM))
        if line.strip() and (newline or is_last):
            grammar = Grammar(delimiter or sniff_delimiter(line))
            if size := grammar.first_end(text.removeprefix(_BOM), is_last=is_last):
                return _file(text.removeprefix(_BOM), size, grammar, newline or b"\n", pieces)
    if not text.removeprefix(_BOM).strip():
        return None
    raise BrokenFile("no header: the first line is " + ("no row of CSV" if line.strip() else "empty"))


def _pieces(stream: Readable) -> Iterator[bytes]:
    """A file in pieces, of which none ends between CR and LF."""
    while piece := stream.read(BLOCK_BYTES):
        while piece.endswith(b"\r") and (byte := stream.read(1)):
            piece += byte
        yield piece


def _first_line(text: bytes) -> tuple[bytes, bytes]:
    """The first line of a text and its end, which is empty where it may come later."""
    line = next(iter(text.splitlines(keepends=True)), b"")
    bare = line.rstrip(b"\r\n")
    return bare, line[len(bare) :]


def sniff_delimiter(header: bytes) -> str:
    """The delimiter of a header line: the one that it holds most often outside quotes."""
    outside = b"".join(header.split(b'"')[::2])
    return max(DELIMITERS, key=lambda delimiter: outside.count(delimiter.encode()))


def _file(text: bytes, size: int, grammar: Grammar, newline: bytes, pieces: Iterator[bytes]) -> CsvFile:
    """The file whose header is the first ``size`` bytes of a text."""
    header = _header(grammar.cells(text[:size].rstrip(b"\r\n")))
    delimiter = grammar.delimiter.decode()
    blocks = _Blocks(header, delimiter, newline, next_line=1 + count_lines(text, 0, size))
    return CsvFile(header, delimiter, blocks.read(text[size:], pieces))


def _header(cells: list[bytes]) -> list[str]:
    try:
        names = [cell.decode().strip() for cell in cells]
    except UnicodeDecodeError as error:
        raise BrokenFile(f"the header is not UTF-8 ({error.reason}); convert the file to UTF-8") from None
    if any(not (char.isprintable() or char.isspace()) and char != "\ufeff" for name in names for char in name):
        raise BrokenFile("the header holds control characters: this is no CSV file")
    names = [name or f"column_{number}" for number, name in enumerate(names, start=1)]
    lowered = [name.lower() for name in names]
    for name in names:
        if lowered.count(name.lower()) > 1:
            raise BrokenFile(f"the header names {name!r} twice")
    return names


class _Blocks:
    """The rows behind a header, in columns."""

    def __init__(self, header: list[str], delimiter: str, newline: bytes, *, next_line: int) -> None:
        self._names = [sql_name(name) for name in header]
        self._grammar = Grammar(delimiter, len(header))
        self._newline = newline[-1:]
        self._next_number = 1
        self._next_line = next_line
        self._parsing = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        self._conversion = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(self._names, pa.string()), strings_can_be_null=False
        )

    def read(self, text: bytes, pieces: Iterator[bytes]) -> Iterator[Cells]:
        """All rows of a text and of the pieces of the file behind it."""
        to_sift = _SIFTED_BYTES
        for piece in chain(pieces, [b""]):
            text += piece
            is_last = not piece
            while text:
                end = self._grammar.sound_end(text, self._newline, is_last=is_last)
                if end:
                    yield from self._in_columns(text[:end])
                    to_sift = _SIFTED_BYTES
                else:
                    sifted = self._sift(text, is_last=is_last, at_least=to_sift)
                    end = sifted.end
                    if not end:
                        break
                    yield self._cells_of(sifted)
                    to_sift *= 2
                    if sifted.is_cut:
                        text, end = rest_of_line(pieces), 0
                        self._next_line += 1
                text = text[end:]

    def _in_columns(self, text: bytes) -> Iterator[Cells]:
        """Whole records; where Arrow does not take them, halves of them, down to what is looked at one by one."""
        try:
            table = self._parsed(text)
        except pa.ArrowInvalid:
            half = self._grammar.sound_end(text[: len(text) // 2], self._newline, is_last=False)
            if half and len(text) > _SIFTED_BYTES:
                yield from self._in_columns(text[:half])
                yield from self._in_columns(text[half:])
            else:
                yield self._cells_of(self._sift(text, is_last=True, at_least=len(text)))
            return
        numbers = pa.arange(self._next_number, self._next_number + table.num_rows)
        self._next_number += table.num_rows
        self._next_line += count_lines(text)
        yield Cells(table.add_column(0, "row_number", numbers))

    def _sift(self, text: bytes, *, is_last: bool, at_least: int) -> Sifted:
        sifted = self._grammar.sift(text, self._next_number, self._next_line, is_last=is_last, at_least=at_least)
        self._next_number, self._next_line = sifted.next_number, sifted.next_line
        return sifted

    def _cells_of(self, sifted: Sifted) -> Cells:
        table = self._parsed(b"".join(sifted.good) or b"\n")
        return Cells(table.add_column(0, "row_number", pa.array(sifted.numbers, pa.int64())), sifted.refused)

    def _parsed(self, text: bytes) -> pa.Table:
        if text.startswith(_BOM):
            # Arrow would take it for the file's.
            text = b"\n" + text
        reading = pyarrow.csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(text) + 1)
        return pyarrow.csv.read_csv(
            pa.BufferReader(text),
            read_options=reading,
            parse_options=self._parsing,
            convert_options=self._conversion,
        )
