"""JSON texts out of an array, or one after another, however they are spread over lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO

from ingest.jsongate import BLOCK_BYTES, KEPT_BYTES, Lines, check_record, lines_of
from ingest.reasons import BrokenFile, Reason, Refused, RefusedRow
from models import limits

#: A text that goes on for longer is not read to its end.
MAX_TEXT_BYTES = 64 << 20
_BLANK = " \t\r\n"
# Finds where a text ends, whatever it holds; whether it may land is judged behind.
_LENIENT = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)


def read_texts(stream: IO[bytes], max_bytes: int = limits.MAX_EVENT_BYTES) -> Iterator[Lines]:
    """The JSON texts of a file, numbered from 1, block by block.

    Raises:
        BrokenFile: if it is not clear where a text ends.
    """
    numbers: list[int] = []
    texts: list[str] = []
    refused: list[RefusedRow] = []
    size = 0
    for number, text in enumerate(_texts(stream), start=1):
        data = text.encode("utf-8", "surrogateescape")
        try:
            texts.append(check_record(data, max_bytes))
            numbers.append(number)
        except Refused as refusal:
            kept = data[:KEPT_BYTES] if refusal.reason is Reason.TOO_LARGE else data
            refused.append(RefusedRow(number, refusal.reason, refusal.detail, kept))
        size += len(data)
        if size >= BLOCK_BYTES:
            yield lines_of(numbers, texts, refused)
            numbers, texts, refused, size = [], [], [], 0
    yield lines_of(numbers, texts, refused)


class _Window:
    """A part of the file's text that moves forward."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._pending = b""
        self.text = ""
        self.position = 0
        self.at_end = False

    def more(self) -> None:
        """Forget what is behind and read on."""
        data = self._stream.read(BLOCK_BYTES)
        self.at_end = not data
        data = self._pending + data
        # A character that is cut in two waits for its other half.
        cut = len(data) if self.at_end else _whole_characters(data)
        self._pending = data[cut:]
        self.text = self.text[self.position :] + data[:cut].decode("utf-8", "surrogateescape")
        self.position = 0

    def next_character(self) -> str:
        """The next character that is not blank, without taking it; empty at the end."""
        while True:
            rest = self.text[self.position : self.position + 64].lstrip(_BLANK)
            if rest:
                self.position = self.text.index(rest[0], self.position)
                return rest[0]
            if self.position + 64 < len(self.text):
                self.position += 64
            elif self.at_end:
                return ""
            else:
                self.position = len(self.text)
                self.more()


def _whole_characters(data: bytes) -> int:
    for back in range(1, min(4, len(data)) + 1):
        if data[-back] >= 0xC0:
            return len(data) - back
        if data[-back] < 0x80:
            break
    return len(data)


def _texts(stream: IO[bytes]) -> Iterator[str]:
    window = _Window(stream)
    if window.next_character() == "\ufeff":
        window.position += 1
    is_array = window.next_character() == "["
    if is_array:
        window.position += 1
        if window.next_character() == "]":
            window.position += 1
            _expect_end(window)
            return
    number = 0
    while is_array or window.next_character():
        number += 1
        yield _next_text(window, number)
        if is_array:
            character = window.next_character()
            if character not in (",", "]"):
                found = repr(character) if character else "the end of the file"
                raise BrokenFile(f"{found} behind element {number}, where a comma or ] belongs")
            window.position += 1
            if character == "]":
                _expect_end(window)
                return


def _expect_end(window: _Window) -> None:
    if window.next_character():
        raise BrokenFile("there is more behind the end of the array")


def _next_text(window: _Window, number: int) -> str:
    while True:
        if not window.next_character():
            raise BrokenFile(f"the file ends where element {number} should begin")
        start = window.position
        try:
            _, end = _LENIENT.raw_decode(window.text, start)
        except RecursionError:
            raise BrokenFile(f"element {number} is nested far too deep") from None
        except json.JSONDecodeError as error:
            if window.at_end or len(window.text) - start > MAX_TEXT_BYTES:
                raise BrokenFile(f"element {number} is not JSON: {error.msg}") from None
        else:
            if end < len(window.text) or window.at_end:
                window.position = end
                return window.text[start:end]
        window.more()
