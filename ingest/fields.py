"""The fields of an event as the ways in know them: what kind of value each holds and by which names it is called."""

from __future__ import annotations

import re
from enum import Enum
from typing import get_args

from pydantic import AliasChoices

from models.catalog import Category
from models.event import Source, UnifiedEvent
from models.landing import EVENT_COLUMNS

SOURCES: tuple[str, ...] = get_args(Source)
CATEGORIES: tuple[str, ...] = get_args(Category)


class Kind(Enum):
    """What a field holds, which decides how it is checked and normalised."""

    IDENTIFIER = "identifier"  # trimmed, NFC, 1 to 256 bytes
    EVENT_TYPE = "event type"  # the same in lower case
    EMAIL = "e-mail"  # the same in lower case; what is no address links nobody
    EMAIL_SHA256 = "SHA-256 of an e-mail"
    CHOICE = "one of a few words"
    TEXT = "text"
    TIME = "time"
    OBJECT = "JSON object"


KINDS: dict[str, Kind] = {
    "event_id": Kind.IDENTIFIER,
    "event_type": Kind.EVENT_TYPE,
    "occurred_at": Kind.TIME,
    "user_id": Kind.IDENTIFIER,
    "anonymous_id": Kind.IDENTIFIER,
    "device_id": Kind.IDENTIFIER,
    "email": Kind.EMAIL,
    "email_sha256": Kind.EMAIL_SHA256,
    "stripe_id": Kind.IDENTIFIER,
    "google_id": Kind.IDENTIFIER,
    "github_id": Kind.IDENTIFIER,
    "session_id": Kind.IDENTIFIER,
    "account_id": Kind.IDENTIFIER,
    "source": Kind.CHOICE,
    "source_id": Kind.TEXT,
    "category": Kind.CHOICE,
    "ip_address": Kind.TEXT,
    "user_agent": Kind.TEXT,
    "utm_source": Kind.TEXT,
    "utm_medium": Kind.TEXT,
    "utm_campaign": Kind.TEXT,
    "utm_content": Kind.TEXT,
    "utm_term": Kind.TEXT,
    "sent_at": Kind.TIME,
    "received_at": Kind.TIME,
    "properties": Kind.OBJECT,
    "traits": Kind.OBJECT,
    "metadata": Kind.OBJECT,
}

CHOICES: dict[str, tuple[str, ...]] = {"source": SOURCES, "category": CATEGORIES}

#: Without these there is no event; an id can be computed.
REQUIRED = ("event_type", "occurred_at")

#: Keys of the ``identifiers`` object that are columns of their own; any other is a custom identifier.
IDENTIFIER_KEYS = (
    "user_id",
    "anonymous_id",
    "device_id",
    "email",
    "email_sha256",
    "stripe_id",
    "google_id",
    "github_id",
)

assert set(KINDS) <= {column.name for column in EVENT_COLUMNS}


def snake(name: str) -> str:
    """``personId`` as ``person_id``."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _json_keys() -> dict[str, str]:
    keys: dict[str, str] = {}
    for name, field in UnifiedEvent.model_fields.items():
        column = "occurred_at" if name == "timestamp" else name
        keys[name] = column
        if field.alias:
            keys[field.alias] = column
        if isinstance(field.validation_alias, AliasChoices):
            keys.update({choice: column for choice in field.validation_alias.choices if isinstance(choice, str)})
    return keys


#: Every key of a JSON event that is a field, in each of its spellings, and the landed column it fills
#: (``identifiers`` fills several).
JSON_KEYS: dict[str, str] = _json_keys()


def _identifier_spellings() -> dict[str, str]:
    spellings = {name: name for name in IDENTIFIER_KEYS}
    spellings.update({key: column for key, column in JSON_KEYS.items() if column in IDENTIFIER_KEYS})
    for name in IDENTIFIER_KEYS:
        head, *rest = name.split("_")
        spellings[head + "".join(part.capitalize() for part in rest)] = name
    return spellings


#: The same for the keys of the ``identifiers`` object.
IDENTIFIER_SPELLINGS: dict[str, str] = _identifier_spellings()
