"""JSON read strictly and written canonically, one text at a time; the exact twin of what SQL decides in bulk.

RFC 8259 and nothing more: no NaN, no trailing comma, no byte order mark; no key twice in one object, no lone surrogate
and no NUL in any string. Numbers keep their digits: a number that no double holds exactly is not rounded.
"""

from __future__ import annotations

import json
import math
import re
from json.encoder import encode_basestring
from typing import Any, NoReturn

from ingest.reasons import Reason, Refused
from ingest.redaction import without_credentials
from models import limits

_TRAILING_ZEROS = re.compile(r"(?<=\d)0+$")
_LOWER_HEX = re.compile(r"\\u00[0-9a-f]{2}")
_PLAIN_DIGITS = 15


class RawNumber(float):
    """A JSON number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> RawNumber:
        """The number that a text says."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def parse(text: str) -> Any:
    """The value of one JSON text: dict, list, str, bool, None, int, or ``RawNumber`` for what is not a plain int.

    The caller has made sure that the text is not nested deeper than ``limits.MAX_DEPTH``.

    Raises:
        Refused: with the first thing that is wrong.
    """
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        if text.startswith("\ufeff"):
            raise Refused(Reason.BYTE_ORDER_MARK, "starts with a byte order mark") from None
        raise Refused(Reason.NOT_JSON, f"{error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    if "\\u" in text:
        _check_strings(value)
    return value


def write(value: Any) -> str:
    """The canonical text of a parsed value: no white space, keys in their order, characters as they are.

    A decimal loses its trailing zeros (``1.50`` is ``1.5``) unless it has more than 15 digits; so does DuckDB.
    """
    match value:
        case dict():
            return "{" + ",".join(f"{quote(key)}:{write(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(write, value)) + "]"
        case str():
            return quote(value)
        case RawNumber():
            return _number(value.text)
        case True:
            return "true"
        case False:
            return "false"
        case None:
            return "null"
        case _:
            return json.dumps(value)


def quote(text: str) -> str:
    """A string as canonical JSON text."""
    quoted: str = encode_basestring(text)
    return _LOWER_HEX.sub(lambda escape: "\\u" + escape[0][2:].upper(), quoted) if "\\u" in quoted else quoted


def _number(text: str) -> str:
    if "." not in text or "e" in text or "E" in text or sum(map(str.isdigit, text)) > _PLAIN_DIGITS:
        return text
    return _TRAILING_ZEROS.sub("", text)


def _float(text: str) -> RawNumber:
    number = RawNumber(text)
    if not math.isfinite(number):
        raise Refused(Reason.NON_FINITE, f"the number {text[:20]} is too large for a double")
    return number


def _int(text: str) -> int | RawNumber:
    if text == "-0" or len(text) > 300:
        return _float(text)
    return int(text)


def _constant(name: str) -> NoReturn:
    raise Refused(Reason.NON_FINITE, f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Refused(Reason.DUPLICATE_KEY, f"the key {shown(twice)} stands twice in one object")
    return found


def shown(text: str) -> str:
    """A text from the data as it may stand in a message: short, without control characters and without credentials."""
    text = without_credentials(text)
    printable = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return repr(printable if len(printable) <= 60 else printable[:57] + "...")


def _check_strings(value: Any) -> None:
    match value:
        case dict():
            for key, item in value.items():
                _check_string(key)
                _check_strings(item)
        case list():
            for item in value:
                _check_strings(item)
        case str():
            _check_string(value)


def _check_string(text: str) -> None:
    if "\x00" in text:
        raise Refused(Reason.NUL, f"the NUL character in {shown(text)}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(Reason.BAD_UNICODE, f"a lone surrogate in {shown(text)}") from None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant, strict=True
)

assert limits.MAX_DEPTH < 100, "the decoder and the writer recurse"
