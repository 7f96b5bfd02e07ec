"""The byte gate in front of every JSON parser: UTF-8, no NUL, no byte order mark, bounded size and depth.

Nothing that could hurt a parser gets past it. ``check_record`` judges one text; ``scan_lines`` does the same for a
stream of lines with a few passes of C speed over each block, and looks at single lines only in blocks that fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from ingest.reasons import Reason, Refused, RefusedRow
from models import limits

#: How much of a stream is looked at in one go.
BLOCK_BYTES = 2 << 20
#: How many blocks may wait, so that reading goes on while a batch of them is written.
READ_AHEAD = 32
#: How much of a refused line is kept: all of it, unless it is refused for its size.
KEPT_BYTES = 4096

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NOT_OPENERS_OR_NEWLINE = bytes(byte for byte in range(256) if byte not in b"[{\n")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


@dataclass(frozen=True)
class Lines:
    """Lines of a stream that may be given to a JSON parser; blank ones are among them.

    What is known of all of them is cheap to find here, and each fact saves the checks behind it some work:
    ``is_ascii`` that there is no other character, ``has_escapes`` and ``has_arrays`` that there may be a backslash or
    a bracket; ``objects`` is how many objects a line may hold, ``depth`` how deep they and arrays may be nested.
    """

    numbers: pa.Int64Array
    texts: pa.StringArray
    is_ascii: bool = False
    has_escapes: bool = True
    has_arrays: bool = True
    objects: int = limits.MAX_EVENT_BYTES
    depth: int = limits.MAX_DEPTH
    refused: list[RefusedRow] = field(default_factory=list)


def check_record(data: bytes, max_bytes: int = limits.MAX_EVENT_BYTES) -> str:
    """One JSON text as a string, if a parser may see it.

    Raises:
        Refused: too_large, byte_order_mark, nul, bad_unicode or too_deep.
    """
    if len(data) > max_bytes:
        raise Refused(Reason.TOO_LARGE, f"{len(data)} bytes; at most {max_bytes} are taken")
    if data.startswith(_BOM):
        raise Refused(Reason.BYTE_ORDER_MARK, "starts with a byte order mark; save the file as UTF-8 without one")
    if (position := data.find(0)) >= 0:
        raise Refused(Reason.NUL, f"a NUL byte at byte {position + 1}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Refused(Reason.BAD_UNICODE, f"not UTF-8 at byte {error.start + 1}") from None
    if _depth_exceeds(data):
        raise Refused(Reason.TOO_DEEP, f"nested deeper than {limits.MAX_DEPTH} levels")
    return text


def scan_lines(stream: Readable, max_bytes: int = limits.MAX_EVENT_BYTES) -> Iterator[Lines]:
    """The lines of a stream, block by block, with those that no parser may see set aside.

    Line numbers start at 1 and count every line. A line that is longer than ``max_bytes`` is never held in memory
    as a whole. An error of the stream is the caller's.
    """
    number = 1
    pending = b""
    while data := stream.read(BLOCK_BYTES):
        block, newline, pending = _last_newline(pending, data)
        if newline:
            lines = _scan_block(block, number, max_bytes)
            yield lines
            number += len(lines.numbers) + len(lines.refused)
        if len(pending) > max_bytes:
            size, head, pending = _skip_line(stream, pending)
            detail = f"{size} bytes; at most {max_bytes} are taken"
            yield _only_refused(RefusedRow(number, Reason.TOO_LARGE, detail, head))
            number += 1
    if pending:
        yield _scan_block(pending, number, max_bytes)


def _last_newline(pending: bytes, data: bytes) -> tuple[bytes, bytes, bytes]:
    """What was read, partitioned at its last newline; of two copies of the large part, one is saved."""
    end = data.rfind(b"\n")
    if end < 0:
        return (pending + data).rpartition(b"\n")
    return b"".join((pending, memoryview(data)[:end])), b"\n", data[end + 1 :]


def _skip_line(stream: Readable, begun: bytes) -> tuple[int, bytes, bytes]:
    """Read to the end of a line that is too long: its size, its head, and what was read behind it."""
    size, head = len(begun), begun[:KEPT_BYTES]
    while data := stream.read(BLOCK_BYTES):
        line, newline, after = data.partition(b"\n")
        size += len(line)
        if newline:
            return size, head, after
    return size, head, b""


def _scan_block(block: bytes, number: int, max_bytes: int) -> Lines:
    """Whole lines; the block ends without a newline."""
    is_ascii = block.isascii()
    # Lines share few patterns of opening brackets; their length is the most that a line can be nested.
    patterns = set(block.translate(None, _NOT_OPENERS_OR_NEWLINE).split(b"\n"))
    depth = max(map(len, patterns))
    if (
        b"\0" in block
        or depth > limits.MAX_DEPTH
        or not (is_ascii or _is_utf8(block))
        or (number == 1 and block.startswith(_BOM))
        or _has_long_line(block, max_bytes)
    ):
        return _scan_line_by_line(block, number, max_bytes)
    texts = _split(block)
    return Lines(
        numbers=pa.arange(number, number + len(texts)),
        texts=texts,
        is_ascii=is_ascii,
        has_escapes=b"\\" in block,
        has_arrays=any(b"[" in pattern for pattern in patterns),
        objects=max(pattern.count(b"{") for pattern in patterns),
        depth=depth,
    )


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_long_line(block: bytes, max_bytes: int) -> bool:
    """Whether any line is longer than a text may be: hop from newline to newline in steps of that size."""
    start = 0
    while len(block) - start > max_bytes:
        newline = block.rfind(b"\n", start, start + max_bytes + 1)
        if newline < 0:
            return True
        start = newline + 1
    return False


def _split(block: bytes) -> pa.StringArray:
    # The bytes are known to be UTF-8: viewing them as text copies nothing.
    lines = pc.split_pattern(pa.array([block], pa.binary()), b"\n").values
    return lines.view(pa.string())


def _scan_line_by_line(block: bytes, number: int, max_bytes: int) -> Lines:
    numbers, texts, refused = [], [], []
    for offset, line in enumerate(block.split(b"\n")):
        try:
            texts.append(check_record(line, max_bytes))
            numbers.append(number + offset)
        except Refused as refusal:
            kept = line[:KEPT_BYTES] if refusal.reason is Reason.TOO_LARGE else line
            refused.append(RefusedRow(number + offset, refusal.reason, refusal.detail, kept))
    return lines_of(numbers, texts, refused)


def lines_of(numbers: list[int], texts: list[str], refused: list[RefusedRow]) -> Lines:
    """Texts that were let through one by one, and those that were not."""
    return Lines(
        pa.array(numbers, pa.int64()),
        pa.array(texts, pa.string()),
        is_ascii=all(map(str.isascii, texts)),
        has_escapes=any("\\" in text for text in texts),
        refused=refused,
    )


def _only_refused(row: RefusedRow) -> Lines:
    return Lines(pa.array([], pa.int64()), pa.array([], pa.string()), refused=[row])


def _depth_exceeds(data: bytes) -> bool:
    """Whether a JSON text is nested deeper than ``limits.MAX_DEPTH``; brackets inside strings do not count."""
    if len(data.translate(None, _NOT_OPENERS_OR_NEWLINE)) <= limits.MAX_DEPTH:
        return False
    depth = deepest = 0
    for byte in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > limits.MAX_DEPTH
