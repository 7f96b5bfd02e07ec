"""Columns of text made at once: ids, times, and lines put together from parts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.simulator.chance import Bools, Chance, Ints
from ingest.simulator.season import DAY

#: A column of texts.
Texts: TypeAlias = pa.LargeStringArray
_TEXT = pa.large_string()
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_UUID_DIGITS = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])
_VERSION, _VARIANT = 14, 19


def dumps(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def uuids(chance: Chance, purpose: str, count: int) -> Texts:
    """Random UUIDs (RFC 9562, version 4)."""
    octets = chance.words(purpose, count, 2).astype("<u8").view(np.uint8).reshape(count, 16)
    digits = np.empty((count, 32), dtype=np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _HEX[octets >> 4], _HEX[octets & 15]
    text = np.full((count, 36), ord("-"), dtype=np.uint8)
    text[:, _UUID_DIGITS] = digits
    text[:, _VERSION] = ord("4")
    text[:, _VARIANT] = _HEX[8 + (octets[:, 0] & 3)]
    return _fixed_width(text)


def iso_times(at: Ints) -> Texts:
    """Times as ISO 8601 in UTC with milliseconds: 2026-01-31T12:00:00.000Z."""
    days, rest = np.divmod(at, DAY)
    first = int(days.min()) if len(days) else 0
    last = int(days.max()) if len(days) else 0
    seconds, millis = np.divmod(rest, 1000)
    text = np.empty((len(at), 24), dtype=np.uint8)
    known = np.arange(first, last + 1).astype("datetime64[D]").astype("S10")
    text[:, :10] = known.view(np.uint8).reshape(-1, 10)[days - first]
    text[:, 10], text[:, 19] = ord("T"), ord(".")
    text[:, 11:19] = _CLOCK[seconds]
    text[:, 20:] = _THOUSAND[millis]
    return _fixed_width(text)


def _clock() -> npt.NDArray[np.uint8]:
    second = np.arange(86_400)
    text = np.full((86_400, 8), ord(":"), dtype=np.uint8)
    for place, number in ((0, second // 3600), (3, second // 60 % 60), (6, second % 60)):
        text[:, place], text[:, place + 1] = 48 + number // 10, 48 + number % 10
    return text


_CLOCK = _clock()
_THOUSAND = np.array([list(f"{number:03d}Z".encode()) for number in range(1000)], dtype=np.uint8)


def _fixed_width(text: npt.NDArray[np.uint8]) -> Texts:
    count, width = text.shape
    offsets = pa.py_buffer(np.arange(0, (count + 1) * width, width, dtype=np.int64))
    buffers = [None, offsets, pa.py_buffer(np.ascontiguousarray(text))]
    return pa.Array.from_buffers(_TEXT, count, buffers)


def picked(texts: Sequence[str] | Texts, positions: Ints) -> Texts:
    """The texts at positions."""
    return texts_of(texts).take(pa.array(positions))


def texts_of(texts: Sequence[str] | Texts) -> Texts:
    """A list as a column."""
    return pa.array(texts, _TEXT) if isinstance(texts, Sequence) else texts


def joined(*parts: str | Texts) -> Texts:
    """Texts put together row by row; a plain text stands in every row."""
    return pc.binary_join_element_wise(*map(_value, parts), _value(""))


def joined_in_groups(texts: Texts, firsts: Ints, separator: str) -> Texts:
    """The texts of each group put together; ``firsts`` are the positions at which the groups begin."""
    bounds = pa.array(np.append(firsts, len(texts)))
    return pc.binary_join(pa.LargeListArray.from_arrays(bounds, texts), _value(separator))


def where(mask: Bools, yes: str | Texts, no: str | Texts) -> Texts:
    """``yes`` in the rows where a mask is true, ``no`` in the others."""
    return pc.if_else(pa.array(mask), _value(yes), _value(no))


def _value(text: str | Texts) -> Any:
    return pa.scalar(text, _TEXT) if isinstance(text, str) else text
