"""Secrets taken out of texts that no parser has understood, and out of what a message quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Stripe's keys and signing secrets, and a JSON Web Token.
_CREDENTIAL = re.compile(r"\b((?:sk|rk|pk)_(?:live|test)_|whsec_|eyJ)[\w-]{6,}(?:\.[\w-]+){0,2}", re.ASCII)
# Thirteen to nineteen digits, as they are printed on a card or in one piece.
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", re.ASCII)


def without_credentials(text: str) -> str:
    """A text in which keys, tokens and card numbers are cut down to what tells which they are.

    A card number is what passes Luhn's check (ISO/IEC 7812-1); its last four digits stay. By chance one in ten of all
    long numbers passes it: this is for messages, not for data.
    """
    text = _CREDENTIAL.sub(r"\1…", text)
    return _CARD.sub(lambda found: f"…{found[0][-4:]}" if _passes_luhn(found[0]) else found[0], text)


def _passes_luhn(number: str) -> bool:
    digits = [int(character) for character in reversed(number) if character.isdigit()]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


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
