"""Secrets taken out of texts that no parser has understood."""

from __future__ import annotations

import re
from collections.abc import Iterable


def redacted(raw: bytes, keys: Iterable[str]) -> bytes:
    """A text in which the values of these keys are empty, however deep they stand and whatever else is wrong with it.

    The text may be cut off, may itself stand in a JSON string (its quotes escaped), and may be UTF-16.
    """
    for key in keys:
        raw = _pattern(key).sub(rb'\1""', raw)
    return raw


def _pattern(key: str) -> re.Pattern[bytes]:
    letters = rb"\x00?".join(map(_spelled, key))
    name = rb"[\"']\x00?" + letters + rb"\x00?\\*\x00?[\"'][\s\x00]*:[\s\x00]*"
    text = rb'"(?:[^"\\]|\\.)*"?'
    text_within_text = rb'\\+"[^"]*"?'
    other = rb"[^\s,}\]\"]+"
    return re.compile(b"(" + name + b")(?:" + b"|".join((text, text_within_text, other)) + b")", re.DOTALL)


def _spelled(letter: str) -> bytes:
    """A letter, or its escape in JSON."""
    digits = "".join(f"[{digit}{digit.upper()}]" for digit in f"{ord(letter):04x}")
    return rf"(?:{re.escape(letter)}|\\+u{digits})".encode()
