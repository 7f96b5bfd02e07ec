"""Finding an identifier in the graph from what somebody typed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from analytics.query import Engine
from models.errors import UsageError
from models.identity import parse_identifier
from models.keys import IDENTIFIER_TYPES, email_sha256, identifier_uuid, key_of, normalise_id, uuid5

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

    @property
    def alias(self) -> str:
        """Its UUID, which is the id of the person that is named after it."""
        return str(uuid5(f"{self.id_type}:{self.id_value}"))

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


def typed_identifier(text: str) -> tuple[str, str]:
    """The type and the normalised value of ``type:value``, which may be the SHA-256 of an e-mail.

    Raises:
        ValueError: saying what would be accepted.
    """
    type_, _, value = text.partition(":")
    digest = value.strip().lower()
    if type_ in ("email", "email_sha256") and _SHA256.fullmatch(digest):
        return "email_sha256", digest
    return parse_identifier(text)


def identifiers_of(engine: Engine, keys: Iterable[int], *, build: str = "") -> dict[int, Identifier]:
    """Identifiers by their keys.

    Args:
        engine: the warehouse.
        keys: which; those that no event carried are missing in the answer.
        build: the name under which another build is attached, whose identifiers are meant.
    """
    schema = f"{build}.intermediate" if build else "intermediate"
    sql = f"select {_IDENTIFIER} from {schema}.int_identity__identifier where identifier_key in (select unnest($keys))"
    return {row[0]: Identifier(*row) for row in engine.rows(sql, {"keys": list(keys)})}


def survivors_of(engine: Engine, keys: Iterable[int]) -> dict[int, Identifier]:
    """The identifier after which the person of each identifier is named, whatever turns a shared device had."""
    sql = (
        f"select owner.identifier_key, {', '.join(f'survivor.{name}' for name in _IDENTIFIER.split(', '))}"
        " from intermediate.int_identity__owner as owner"
        " inner join intermediate.int_identity__identifier as survivor on owner.person_key = survivor.identifier_key"
        " where owner.valid_from is null and owner.identifier_key in (select unnest($keys))"
    )
    return {key: Identifier(*survivor) for key, *survivor in engine.rows(sql, {"keys": list(keys)})}


def best_names(engine: Engine, persons: Iterable[int]) -> dict[int, Identifier]:
    """The identifier that tells people most about each person: a user id, else an e-mail, and so on.

    Args:
        engine: the warehouse.
        persons: their keys.
    """
    sql = (
        f"select owner.person_key, {', '.join(f'known.{name}' for name in _IDENTIFIER.split(', '))}"
        " from intermediate.int_identity__owner as owner"
        " inner join intermediate.int_identity__identifier as known on owner.identifier_key = known.identifier_key"
        " where owner.valid_from is null and owner.person_key in (select unnest($persons))"
    )
    found: dict[int, Identifier] = {}
    for person, *identifier in engine.rows(sql, {"persons": list(persons)}):
        name = Identifier(*identifier)
        found[person] = min(found.get(person, name), name, key=most_telling_first)
    return found


def most_telling_first(identifier: Identifier) -> tuple[int, str, str]:
    """What identifiers are sorted by where the one that tells people most comes first."""
    known = identifier.id_type in IDENTIFIER_TYPES
    rank = IDENTIFIER_TYPES.index(identifier.id_type) if known else len(IDENTIFIER_TYPES)
    return rank, identifier.id_type, str(identifier)


def _named(engine: Engine, text: str) -> list[Identifier]:
    """By ``type:value``; nothing where the text is no such name, or no event carried it."""
    try:
        type_, value = typed_identifier(text)
    except ValueError:
        return []
    return list(identifiers_of(engine, [key_of(identifier_uuid(type_, value))]).values())


def _valued(engine: Engine, text: str) -> list[Identifier]:
    """By a value of any type, or by the UUID of an identifier."""
    value = normalise_id(text)
    sql = (
        f"select {_IDENTIFIER} from intermediate.int_identity__identifier where id_value = $value"
        " or (id_type = 'email' and id_value = $hashed) or identifier_key = $key order by id_type, id_value"
    )
    lowered = value.lower()
    alias = uuid.UUID(lowered) if _UUID.fullmatch(lowered) else None
    params = {
        "value": lowered if _SHA256.fullmatch(lowered) else value,
        "hashed": email_sha256(value),
        "key": alias and key_of(alias),
    }
    found = [Identifier(*row) for row in engine.rows(sql, params)]
    # The key holds half of the UUID.
    return [one for one in found if alias is None or one.id_value == value or one.alias == lowered]
