"""Where the records of a CSV text begin and end, and which lines of it are none.

The grammar is that of RFC 4180: a cell that begins with a quote ends at the next quote that is not doubled, and behind
that stands a delimiter or the end of the record; a quote further inside a cell is a character like any other. LF, CRLF
and CR end a record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from ingest.reasons import Reason, RefusedRow
from models import limits

#: How much of a refused line is kept that is refused for its size.
KEPT_BYTES = 4096
_END_OF_LINE = re.compile(rb"\r\n|\n|\r")


@dataclass
class Sifted:
    """Records that were looked at one by one.

    Attributes:
        end: where the first record begins that was not looked at.
        good: the records that fit, each with the end of its line.
        numbers: their numbers.
        refused: the others.
        next_number: the number of the record behind them.
        next_line: the number of the line behind them.
        is_cut: whether the last line is too large and goes on behind the text.
    """

    end: int
    next_number: int
    next_line: int
    good: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    is_cut: bool = False


class Grammar:
    """CSV with one delimiter, of one byte, and rows of so many cells."""

    def __init__(self, delimiter: str, width: int = 0) -> None:
        self.delimiter = delimiter.encode()
        self._width = width
        quoted, other = rb'"[^"]*+(?:""[^"]*+)*+"', rb"[^\r\n" + re.escape(self.delimiter) + rb"]"
        cell = quoted + rb"(?=" + re.escape(self.delimiter) + rb'|[\r\n]|\Z)|(?!")' + other + rb"*+"
        self._record = re.compile(rb"(?:%s)(?:%s(?:%s))*+" % (cell, re.escape(self.delimiter), cell))
        self._cell = re.compile(re.escape(self.delimiter) + rb"(" + quoted + rb"|" + other + rb"*+)")

    def first_end(self, text: bytes, *, is_last: bool) -> int:
        """The end of the first record with the end of its line; 0 if it is none or is not whole."""
        match = self._record.match(text)
        ending = _END_OF_LINE.match(text, match.end()) if match else None
        if ending:
            return ending.end()
        return len(text) if match and is_last and match.end() == len(text) else 0

    def cells(self, record: bytes) -> list[bytes]:
        """The cells of a record without the end of its line."""
        found = self._cell.findall(self.delimiter + record)
        return [cell[1:-1].replace(b'""', b'"') if cell.startswith(b'"') else cell for cell in found]

    def sound_end(self, text: bytes, newline: bytes, *, is_last: bool) -> int:
        """The end of the last record up to which a text, which begins with a record, is plainly in order.

        Every quote up to there opens or closes a cell or stands doubled inside one, and no record is too large.
        Cells are not counted, and their characters are not looked at. Without a quote in sight that is the last end of
        a line; else it is told by the parity of quotes.
        """
        stop = self._first_misplaced_quote(text) if b'"' in text else len(text)
        end = 0
        while stop - end > limits.MAX_EVENT_BYTES:
            next_end = _last_end(text, newline, end, end + limits.MAX_EVENT_BYTES)
            if next_end == end:
                return end
            end = next_end
        if is_last and stop == len(text) and text.count(b'"', end) % 2 == 0:
            return stop
        return _last_end(text, newline, end, stop)

    def _first_misplaced_quote(self, text: bytes) -> int:
        """Where a quote stands that neither opens nor closes a cell; the length of the text if none does.

        Between a closing quote and the next opening one stands what begins and ends with a delimiter or the end of a
        line, or nothing: then the two are one quote, doubled.
        """
        pieces = pc.split_pattern(pa.array([text], pa.large_binary()), b'"').values
        outside = pieces.take(pa.arange(0, len(pieces), 2))
        is_empty = pc.equal(pc.binary_length(outside), 0)
        marks = (self.delimiter, b"\n", b"\r")
        begins, ends = is_empty, is_empty
        for mark in marks:
            begins = pc.or_(begins, pc.starts_with(outside, pattern=mark))
            ends = pc.or_(ends, pc.ends_with(outside, pattern=mark))
        before = pc.index(ends.slice(0, len(pieces) // 2), False).as_py()
        behind = pc.index(begins.slice(1), False).as_py()
        # The quote in front of piece n is the n-th; pieces outside quotes are every other one.
        misplaced = [2 * before + 1] * (before >= 0) + [2 * behind + 2] * (behind >= 0)
        if not misplaced:
            return len(text)
        first: int = min(misplaced)
        return int(pc.sum(pc.binary_length(pieces.slice(0, first))).as_py()) + first - 1

    def sift(self, text: bytes, number: int, line: int, *, is_last: bool, at_least: int) -> Sifted:
        """Look at records one by one, from the start of a text until ``at_least`` bytes are behind.

        A line that begins no record is refused by itself, and reading goes on at the next. Where it takes more of the
        file to tell, it ends earlier, ``is_last`` says that there is no more.

        Args:
            text: begins with a record.
            number: the number of that record.
            line: the number of the line that it begins in.
            is_last: whether the file ends with the text.
            at_least: how much to look at.
        """
        sifted = Sifted(0, number, line)
        while sifted.end < min(at_least, len(text)):
            start = sifted.end
            match = self._record.match(text, start, start + limits.MAX_EVENT_BYTES)
            stop = match.end() if match else start
            ending = _END_OF_LINE.match(text, stop)
            is_whole = bool(match) and (ending is not None or (is_last and stop == len(text)))
            end = ending.end() if ending else stop
            if is_whole and end - start <= limits.MAX_EVENT_BYTES:
                if stop > start:
                    self._judge(sifted, text[start:stop])
            else:
                if not is_last and len(text) - start <= limits.MAX_EVENT_BYTES:
                    break
                end = _refuse_line(sifted, text, start, is_last=is_last)
            sifted.next_line += count_lines(text, start, end)
            sifted.end = end
        return sifted

    def _judge(self, sifted: Sifted, record: bytes) -> None:
        number = sifted.next_number
        sifted.next_number += 1
        place = f"(line {sifted.next_line})"
        try:
            record.decode()
        except UnicodeDecodeError as error:
            detail = f"not UTF-8 at byte {error.start + 1} of the row {place}; convert the file to UTF-8"
            sifted.refused.append(RefusedRow(number, Reason.BAD_UNICODE, detail, record))
            return
        width = record.count(self.delimiter) + 1 if b'"' not in record else len(self.cells(record))
        if width == self._width:
            sifted.good.append(record + b"\n")
            sifted.numbers.append(number)
            return
        detail = f"{width} cells where the header has {self._width} {place}"
        cells = [cell.decode() for cell in self.cells(record)]
        raw = json.dumps(cells, ensure_ascii=False).encode()
        sifted.refused.append(RefusedRow(number, Reason.RAGGED_ROW, detail, raw))


def count_lines(text: bytes, start: int = 0, end: int | None = None) -> int:
    """How many ends of lines a text holds between two places."""
    carriage_returns = text.count(b"\r", start, end)
    return text.count(b"\n", start, end) + (
        carriage_returns - text.count(b"\r\n", start, end) if carriage_returns else 0
    )


def _last_end(text: bytes, newline: bytes, start: int, stop: int) -> int:
    """The end of the last record between two places, of which the first begins a record; the first, if none ends."""
    place = text.rfind(newline, start, stop)
    quotes = text.count(b'"', start, max(place, start))
    while place >= 0 and quotes % 2:
        before = text.rfind(newline, start, place)
        quotes -= text.count(b'"', max(before, start), place)
        place = before
    return place + 1 if place >= 0 else start


def _refuse_line(sifted: Sifted, text: bytes, start: int, *, is_last: bool) -> int:
    """Refuse the line that begins here; returns where the next begins."""
    ending = _END_OF_LINE.search(text, start)
    stop, end = (ending.start(), ending.end()) if ending else (len(text), len(text))
    sifted.is_cut = ending is None and not is_last
    if end - start > limits.MAX_EVENT_BYTES:
        reason, raw = Reason.TOO_LARGE, text[start : start + KEPT_BYTES]
        detail = f"a row of more than {limits.MAX_EVENT_BYTES} bytes (line {sifted.next_line})"
    else:
        reason, raw = Reason.BROKEN_QUOTES, text[start:stop]
        detail = (
            "a cell in quotes is not closed, or goes on behind its closing quote"
            f" (line {sifted.next_line}); a quote inside quotes is doubled"
        )
    sifted.refused.append(RefusedRow(sifted.next_number, reason, detail, raw))
    sifted.next_number += 1
    return end


def rest_of_line(pieces: Iterable[bytes]) -> bytes:
    """Read pieces of a file to the end of the line that they begin in; returns what was read behind it."""
    for piece in pieces:
        if ending := _END_OF_LINE.search(piece):
            return piece[ending.end() :]
    return b""
