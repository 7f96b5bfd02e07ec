"""Identity rules: what may make two identifiers one person's, as a definitions file says it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from models.base import Moment, Shape
from models.errors import nearest
from models.keys import IDENTIFIER_TYPES, identifier_uuid, key_of, normalise_email, normalise_id

#: Stands for every type of identifier.
ANY_TYPE = "*"
#: Stands in front of an identifier's UUID, as person_alias has it, where a file shall not hold the identifier itself.
ALIAS = "alias"

#: What programs write where they know nobody, names that all visitors share, and the id that one Android version gave
#: to every device; compared in lower case. A text of zeros and dashes identifies nobody, either.
NOBODY = (
    "",
    "(not set)",
    "(null)",
    "-1",
    "9774d56d682e549c",
    "[object object]",
    "anonymous",
    "false",
    "guest",
    "n/a",
    "nan",
    "nil",
    "none",
    "not set",
    "null",
    "true",
    "undefined",
    "unknown",
)
_USUAL_LIMITS = {"user_id": 1, "stripe_id": 5, "email": 5, "google_id": 5, "github_id": 5}


def _type(name: str) -> str:
    custom = name.removeprefix("custom:")
    if name in IDENTIFIER_TYPES or (custom != name and custom and custom == normalise_id(custom)):
        return name
    hint = nearest(name, IDENTIFIER_TYPES)
    raise ValueError(f"{name!r} is no type of identifier ({hint or ', '.join(IDENTIFIER_TYPES) + ' or custom:<name>'})")


def parse_identifier(text: str) -> tuple[str, str]:
    """The type and the normalised value of an identifier written as ``type:value`` or ``custom:<name>:value``.

    Raises:
        ValueError: saying what would be accepted.
    """
    type_, colon, value = text.partition(":")
    if type_ == "custom":
        name, colon, value = value.partition(":")
        type_ = f"custom:{name}"
    _type(type_)
    key = normalise_email(value) if type_ == "email" else normalise_id(value)
    if not colon or not key or "\x00" in key:
        raise ValueError(f"{text!r} is no identifier; write type:value, such as user_id:4711 or email:ada@example.com")
    return type_, key


def identifier_id(text: str) -> uuid.UUID:
    """The UUID of an identifier that is written ``type:value``, or ``alias:`` with that UUID itself.

    Raises:
        ValueError: saying what would be accepted.
    """
    type_, _, value = text.partition(":")
    if type_ != ALIAS:
        return identifier_uuid(*parse_identifier(text))
    try:
        return uuid.UUID(value.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no alias; write alias: and the UUID of an identifier") from None


def hashed(text: str) -> str:
    """An identifier as its alias, which does not say whose it is."""
    return f"{ALIAS}:{identifier_id(text)}"


def _identifier(text: str) -> str:
    return hashed(text) if text.startswith(f"{ALIAS}:") else ":".join(parse_identifier(text))


IdType = Annotated[str, AfterValidator(_type)]
#: An identifier as people write it: ``type:value``, or ``alias:<its UUID>``.
TypedId = Annotated[str, AfterValidator(_identifier)]


class HandRule(Shape):
    """What somebody decided: that two identifiers are one person's, or that they are not, by whatever path."""

    link: tuple[TypedId, TypedId] | None = None
    cut: tuple[TypedId, TypedId] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    author: str | None = None
    decided_at: Moment | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> HandRule:
        if (self.link is None) == (self.cut is None):
            raise ValueError("a hand rule is either a link or a cut of two identifiers")
        first, second = self.keys
        if first == second:
            raise ValueError(f"{self.pair[1]!r} is given twice")
        return self

    @property
    def pair(self) -> tuple[str, str]:
        """The two identifiers."""
        pair = self.link or self.cut
        assert pair is not None
        return pair

    @property
    def keys(self) -> tuple[int, int]:
        """The integers that stand for the two inside the warehouse."""
        one, other = (key_of(identifier_id(text)) for text in self.pair)
        return one, other


class IdentityRules(Shape):
    """What holds for the whole graph of identifiers."""

    blocked: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Values by type (* is every type) that identify nobody, besides the usual ones (null, unknown, …).",
    )
    limits: dict[IdType, Annotated[int, Field(ge=1, strict=True)] | None] = Field(
        default_factory=dict,
        description="The most identifiers of a type that one person may have, ever; null is any number. user_id 1, and"
        " email, stripe_id, google_id and github_id 5 unless it is said otherwise.",
    )
    priority: tuple[IdType, ...] = Field(
        default=IDENTIFIER_TYPES,
        description="Types whose edges are judged first, where the order matters; others come last.",
    )
    hub_threshold: Annotated[int, Field(ge=1, strict=True)] = Field(
        default=10, description="A value seen with more users or Stripe customers than this joins nobody."
    )
    hand: tuple[HandRule, ...] = ()

    @field_validator("blocked")
    @classmethod
    def _blocked_keys(cls, blocked: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for type_ in blocked:
            if type_ != ANY_TYPE:
                _type(type_)
            if any("\x00" in value for value in blocked[type_]):
                raise ValueError(f"a value of {type_!r} has a NUL character")
        return {type_: tuple(sorted({normalise_id(value).lower() for value in blocked[type_]})) for type_ in blocked}

    @property
    def blocked_values(self) -> list[tuple[str, str]]:
        """All (type, value) that identify nobody, in lower case; the usual ones are of the type ``*``."""
        own = {(type_, value) for type_, values in self.blocked.items() for value in values}
        return sorted(own | {(ANY_TYPE, value) for value in NOBODY})

    @property
    def most(self) -> dict[str, int]:
        """The most identifiers that one person may have, by type; a type that is not named may have any number."""
        return {type_: most for type_, most in {**_USUAL_LIMITS, **self.limits}.items() if most is not None}

    @model_validator(mode="after")
    def _hand_rules_agree(self) -> IdentityRules:
        linked = _linked(rule.keys for rule in self.hand if rule.link)
        for rule in self.hand:
            one, other = rule.keys
            if rule.cut and other in linked.get(one, ()):
                raise ValueError(f"{rule.cut[0]} and {rule.cut[1]} are both linked and cut")
        return self


def _linked(links: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """For each identifier all that links join it with, by whatever path."""
    groups: dict[int, set[int]] = {}
    for one, other in links:
        merged = groups.get(one, {one}) | groups.get(other, {other})
        groups.update(dict.fromkeys(merged, merged))
    return groups
