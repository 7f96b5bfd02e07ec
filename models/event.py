"""The unified event: one shape for what every source tells us."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, Field, JsonValue, model_validator

from models import limits
from models.base import Moment, Shape
from models.catalog import Category
from models.keys import normalise_email, normalise_event_type, normalise_id

Source = Literal["app", "stripe", "meta_pixel", "segment", "custom"]


def _checked_text(text: str, limit: int) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    if len(text.encode("utf-8", "surrogatepass")) > limit:
        raise ValueError(f"is longer than {limit} bytes")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds a lone surrogate, which is not Unicode text") from error
    return text


def _identifier(value: str) -> str:
    normalised = normalise_id(_checked_text(value, limits.MAX_ID_BYTES))
    if not normalised:
        raise ValueError("is empty")
    return normalised


def _event_type(value: str) -> str:
    return normalise_event_type(_identifier(value))


def _text(value: str) -> str:
    return _checked_text(value, limits.MAX_TEXT_BYTES)


def _json_object(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    _check_json(value, depth=2)
    return value


def _check_json(value: JsonValue, *, depth: int) -> None:
    """Refuse what would be read differently elsewhere; ``depth`` counts the event itself as 1."""
    if depth > limits.MAX_DEPTH and isinstance(value, dict | list):
        raise ValueError(f"is nested deeper than {limits.MAX_DEPTH} levels")
    match value:
        case dict():
            if len(value) > limits.MAX_KEYS:
                raise ValueError(f"has more than {limits.MAX_KEYS} keys")
            for key, item in value.items():
                _checked_text(key, limits.MAX_KEY_BYTES)
                _check_json(item, depth=depth + 1)
        case list():
            if len(value) > limits.MAX_ELEMENTS:
                raise ValueError(f"has more than {limits.MAX_ELEMENTS} elements")
            for item in value:
                _check_json(item, depth=depth + 1)
        case str():
            _checked_text(value, limits.MAX_TEXT_BYTES)
        case float() if not math.isfinite(value):
            raise ValueError("holds a number that is not finite")


#: An identifier's match key: 1 to 256 bytes after trimming, Unicode NFC, case kept.
Identifier = Annotated[str, Field(strict=True), AfterValidator(_identifier)]
EventType = Annotated[str, Field(strict=True), AfterValidator(_event_type)]
Text = Annotated[str, Field(strict=True), AfterValidator(_text)]
JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_json_object)]


def _names(*names: str) -> Any:
    return Field(default=None, validation_alias=AliasChoices(*names))


class UnifiedEvent(Shape):
    """What happened, when, and by which identifiers it belongs to somebody.

    ``person_id`` is the client's own id of its user and is read as ``user_id``. ``identifiers`` holds further ones by
    type; a type that is not known is a custom one. Keys that no field answers to become properties.
    """

    event_id: Identifier
    user_id: Identifier | None = _names("user_id", "userId", "person_id", "personId")
    timestamp: Moment = Field(validation_alias=AliasChoices("timestamp", "occurred_at", "occurredAt"))

    event_type: EventType
    category: Category | None = Field(default=None, description="As the client sees it; the tables take the catalog's.")

    properties: JsonObject = Field(default_factory=dict)
    traits: JsonObject | None = Field(default=None, description="What is known of the person from now on.")

    source: Source = "app"
    source_id: Text | None = Field(default=None, description="The event's id in the system it comes from.")

    session_id: Identifier | None = None
    anonymous_id: Identifier | None = None
    device_id: Identifier | None = None
    email: Identifier | None = None
    account_id: Identifier | None = _names("account_id", "accountId", "group_id", "groupId")
    identifiers: dict[Identifier, Identifier] = Field(default_factory=dict, exclude_if=lambda given: not given)
    ip_address: Text | None = None
    user_agent: Text | None = None

    utm_source: Text | None = None
    utm_medium: Text | None = None
    utm_campaign: Text | None = None
    utm_content: Text | None = None
    utm_term: Text | None = None

    sent_at: Moment | None = Field(default=None, description="The client's clock when it sent the event.")
    received_at: Moment | None = Field(default=None, description="Our clock when the delivery came in.")

    metadata: JsonObject | None = None

    @model_validator(mode="before")
    @classmethod
    def _unknown_keys_are_properties(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        unknown = [key for key in data if key not in KNOWN_KEYS]
        if not unknown:
            return data
        properties = data.get("properties")
        if properties is None:
            properties = {}
        elif not isinstance(properties, dict):
            return data
        clashing = [key for key in unknown if key in properties and properties[key] != data[key]]
        if clashing:
            raise ValueError(f"{clashing[0]!r} stands in the event and, with another value, in its properties")
        event = {key: value for key, value in data.items() if key not in unknown}
        event["properties"] = {**properties, **{key: data[key] for key in unknown}}
        return event

    @model_validator(mode="after")
    def _email_is_lower_case(self) -> UnifiedEvent:
        if self.email is not None:
            object.__setattr__(self, "email", normalise_email(self.email))
        return self


def _known_keys() -> Iterable[str]:
    for name, field in UnifiedEvent.model_fields.items():
        yield name
        if field.alias:
            yield field.alias
        match field.validation_alias:
            case AliasChoices(choices=choices):
                yield from (choice for choice in choices if isinstance(choice, str))
            case str(alias):
                yield alias


#: Every key of a JSON event that a field answers to, in both spellings.
KNOWN_KEYS = frozenset(_known_keys())
