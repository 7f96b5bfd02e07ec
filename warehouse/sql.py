"""The only places where a name or a value becomes SQL text."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f'\\{}]+")


def quote_identifier(name: str) -> str:
    """A name as an SQL identifier, quoted where it must be."""
    if "\x00" in name or not name:
        raise ValueError(f"{name!r} cannot be an SQL name")
    return '"' + name.replace('"', '""') + '"'


def quote_literal(value: str) -> str:
    """A text as an SQL string literal; for generated files only, where a value cannot be bound."""
    if "\x00" in value:
        raise ValueError("a text with a NUL character cannot be written into SQL")
    return "'" + value.replace("'", "''") + "'"


def is_plain_identifier(name: str) -> bool:
    """Whether a name needs no quotes (it may still be a reserved word)."""
    return _IDENTIFIER.fullmatch(name) is not None


def portable_literal(text: str) -> str:
    """A text as an SQL expression that DuckDB, Spark and Jinja all leave as it is."""
    if "\x00" in text:
        raise ValueError(f"{text!r} has a NUL character")
    parts, position = [], 0
    while position < len(text):
        plain = _PLAIN.match(text, position)
        if plain:
            parts.append(quote_literal(plain[0]))
            position = plain.end()
        else:
            parts.append(f"chr({ord(text[position])})")
            position += 1
    return parts[0] if len(parts) == 1 else "(" + " || ".join(parts or ["''"]) + ")"
