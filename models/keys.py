"""Identifiers that are computed, never remembered: the same on every rebuild and on every engine.

Every id of ours is a UUIDv5 (RFC 9562, section 5.5) of a name in one namespace. Inside the warehouse the integer made
of its first 15 hexadecimal digits stands for it, because joins on text cost about twice as much.
"""

from __future__ import annotations

import hashlib
import unicodedata
import uuid

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "growth-data-plane")

#: Types of identifier in order of priority: the first one an event carries names its owner.
IDENTIFIER_TYPES = (
    "user_id",
    "email",
    "stripe_id",
    "google_id",
    "github_id",
    "anonymous_id",
    "device_id",
)


def uuid5(name: str) -> uuid.UUID:
    """The UUIDv5 of ``name`` in this project's namespace."""
    return uuid.uuid5(NAMESPACE, name)


def identifier_uuid(id_type: str, value: str) -> uuid.UUID:
    """The id of a normalised identifier; an e-mail and its SHA-256 are one identifier.

    ``id_type`` is one of ``IDENTIFIER_TYPES``, ``email_sha256`` or ``custom:<name>``.
    """
    if id_type == "email":
        value = email_sha256(value)
    elif id_type == "email_sha256":
        id_type = "email"
    return uuid5(f"{id_type}:{value}")


def key_of(identifier: uuid.UUID) -> int:
    """The integer that stands for a UUID inside the warehouse: its first 15 hexadecimal digits."""
    return int(identifier.hex[:15], 16)


def normalise_id(value: str) -> str:
    """The match key of an identifier: surrounding white space off, Unicode NFC; case is kept."""
    return unicodedata.normalize("NFC", value.strip())


def normalise_email(value: str) -> str:
    """The match key of an e-mail address: surrounding white space off, Unicode NFC, lower case."""
    return normalise_id(value).lower()


def normalise_event_type(value: str) -> str:
    """The match key of an event's name: surrounding white space off, Unicode NFC, lower case."""
    return normalise_id(value).lower()


def email_sha256(email: str) -> str:
    """The lower-case hexadecimal SHA-256 of a normalised e-mail address, as Meta asks for it."""
    return hashlib.sha256(normalise_email(email).encode()).hexdigest()
