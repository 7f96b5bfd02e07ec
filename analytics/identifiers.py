"""Finding an identifier in the graph from what somebody typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from analytics.query import Engine
from models.errors import UsageError
from models.identity import parse_identifier
from models.keys import email_sha256, identifier_uuid, key_of, normalise_id

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_IDENTIFIER = "identifier_key, id_type, id_value, email"


@dataclass(frozen=True)
class Identifier:
    """An identifier that an event carried; an e-mail goes by its SHA-256, its address is given where it is known."""

    key: int
    id_type: str
    id_value: str
    email: str | None = None

    def __str__(self) -> str:
        return f"{self.id_type}:{self.email or self.id_value}"

    def to_json(self) -> dict[str, Any]:
        """``{"type", "value", "email"}``."""
        return {"type": self.id_type, "value": self.id_value, "email": self.email}


def find_identifier(engine: Engine, text: str) -> Identifier:
    """The identifier that somebody means.

    Args:
        engine: the warehouse.
        text: ``type:value``, a value of any type, an e-mail address or its SHA-256, or a UUID that ever was a person's.

    Raises:
        UsageError: if no event carried it, or several identifiers have this value.
    """
    found = _named(engine, text) or _valued(engine, text)
    if not found:
        raise UsageError(
            f"no event carried {text!r}: give an identifier as type:value, its value, an e-mail, or a person's id"
        )
    if len(found) > 1:
        names = ", ".join(str(identifier) for identifier in found[:5])
        raise UsageError(f"{text!r} is the value of {len(found)} identifiers: {names}; say which")
    return found[0]


def identifiers_of(engine: Engine, keys: Iterable[int]) -> dict[int, Identifier]:
    """Identifiers by their keys."""
    sql = (
        f"select {_IDENTIFIER} from intermediate.int_identity__identifier"
        " where identifier_key in (select unnest($keys))"
    )
    return {row[0]: Identifier(*row) for row in engine.rows(sql, {"keys": list(keys)})}


def _named(engine: Engine, text: str) -> list[Identifier]:
    """By ``type:value``; nothing where the text is no such name, or no event carried it."""
    type_, _, value = text.partition(":")
    if type_ == "email_sha256" or (type_ == "email" and _SHA256.fullmatch(value)):
        type_ = "email_sha256"
    else:
        try:
            type_, value = parse_identifier(text)
        except ValueError:
            return []
    return list(identifiers_of(engine, [key_of(identifier_uuid(type_, value))]).values())


def _valued(engine: Engine, text: str) -> list[Identifier]:
    """By a value of any type, or by the UUID of an identifier."""
    value = normalise_id(text)
    sql = (
        f"select {_IDENTIFIER} from intermediate.int_identity__identifier where id_value = $value"
        " or (id_type = 'email' and id_value = $hashed) or alias_id = $alias order by id_type, id_value"
    )
    lowered = value.lower()
    params = {
        "value": lowered if _SHA256.fullmatch(lowered) else value,
        "hashed": email_sha256(value),
        "alias": lowered if _UUID.fullmatch(lowered) else "",
    }
    return [Identifier(*row) for row in engine.rows(sql, params)]
