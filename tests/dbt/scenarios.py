"""The scenarios of SCENARIOS.md, as events to land and persons to find."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from math import factorial
from pathlib import Path
from typing import Any

from models.keys import email_sha256, identifier_uuid, normalise_email
from tests.pipeline.projects import Studio

PAGE = Path(__file__).with_name("SCENARIOS.md")
START = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
#: How often each scenario is told in the default suite.
TELLINGS = 4
RULES = {"hub_threshold": 3, "blocked": {"device_id": ["kiosk"]}}
LINKS = (
    "select alias.person_id, identifier.id_type, identifier.id_value, split_part(event.event_id, '#', 1) as space"
    " from intermediate.int_identity__identifier as identifier"
    " inner join intermediate.int_identity__owner as owner using (identifier_key)"
    " inner join person_alias as alias on owner.person_key = alias.person_key and alias.alias_id = alias.person_id"
    " inner join event on identifier.body_key = event.body_key where owner.valid_from is null"
)
EVENTS = "select event.event_id, person.person_id from event inner join person using (person_key)"
_TYPES = {
    "u": "user_id",
    "e": "email",
    "h": "email_sha256",
    "s": "stripe_id",
    "g": "google_id",
    "a": "anonymous_id",
    "d": "device_id",
    "c": "custom:crm",
}
_FIELDS = {"user_id": "personId", "email": "email", "anonymous_id": "anonymousId", "device_id": "deviceId"}
#: A prime, so that the first few orders differ much and as many as there are differ all.
_STRIDE = 7919
_TOKEN = re.compile(r'#\d+|[a-z](?:\d+|"[^"]*")')
#: A person as its identifiers (type, value) and the events named in the table (number).
Found = frozenset[tuple[str, str] | int]


@dataclass(frozen=True)
class Scenario:
    """A row of the table."""

    name: str
    told: str
    rules: str
    persons: str


@dataclass(frozen=True)
class Telling:
    """A scenario told to persons of its own, in an order of delivery of its own."""

    scenario: Scenario
    number: int

    @property
    def space(self) -> str:
        """What makes its values its own."""
        return re.sub(r"\W+", "-", self.scenario.name) + f"-{self.number}"

    def identifier(self, token: str) -> tuple[str, str]:
        """``u1`` as ("user_id", its value)."""
        type_, value = _TYPES[token[0]], token[1:]
        if value.startswith('"'):
            return type_, str(json.loads(value)).replace("%", self.space)
        if type_ == "email":
            return type_, f"{self.space}-{value}@example.com"
        if type_ == "email_sha256":
            return type_, email_sha256(f"{self.space}-{value}@example.com")
        return type_, f"{self.space}-{token}"

    @property
    def order(self) -> list[int]:
        """In which its events are delivered, but for late ones."""
        return permutation(len(self.scenario.told.split(";")), self.number * _STRIDE)

    def parts(self) -> list[list[dict[str, Any]]]:
        """Its events in three deliveries."""
        texts = [text.strip() for text in self.scenario.told.split(";")]
        early = [number for number in self.order if not texts[number].startswith("late:")]
        first, second = sorted(random.Random(f"{self.space} cut").choices(range(len(early) + 1), k=2))
        late = [number for number in self.order if number not in early]
        deliveries = (early[:first], early[first:second], early[second:] + late)
        return [[self._event(number, texts[number]) for number in part] for part in deliveries]

    def hand_rules(self, part: int) -> list[dict[str, Any]]:
        """The rules by hand that hold once a part has landed (0 is the first)."""
        steps = self.scenario.rules.split(" then ")
        kind, *pair = (steps[0] if part == 0 else steps[-1]).split() or [""]
        named = [":".join(self.identifier(token)) for token in pair]
        return [{kind: named, "reason": self.scenario.name}] if kind else []

    def persons(self) -> dict[str, Found]:
        """The persons that the table says, by their id."""
        found = {}
        for text in self.scenario.persons.split("/"):
            tokens = _TOKEN.findall(text)
            survivor = identifier_uuid(*self.identifier(tokens[0]))
            found[str(survivor)] = frozenset(map(self._expected, tokens))
        return found

    def named_events(self) -> set[int]:
        """The events that the table names."""
        return {int(token[1:]) for token in _TOKEN.findall(self.scenario.persons) if token[0] == "#"}

    def event_id(self, number: int) -> str:
        """The id of an event, counted from 1."""
        return f"{self.space}#{number}"

    def _expected(self, token: str) -> tuple[str, str] | int:
        if token[0] == "#":
            return int(token[1:])
        type_, value = self.identifier(token)
        return (type_, email_sha256(normalise_email(value))) if type_ == "email" else (type_, value)

    def _event(self, number: int, text: str) -> dict[str, Any]:
        *flags, carried = re.split(r":\s*(?![^\"]*\"(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text)
        fields: dict[str, Any] = {
            "eventId": self.event_id(number + 1),
            "timestamp": (START + timedelta(minutes=number)).isoformat(),
            "eventType": "logout" if "logout" in flags else "page_viewed",
            "source": "segment" if "browser" in flags else "app",
        }
        for type_, value in map(self.identifier, _TOKEN.findall(carried)):
            if type_ in _FIELDS:
                fields[_FIELDS[type_]] = value
            else:
                fields.setdefault("identifiers", {})[type_.removeprefix("custom:")] = value
        return fields


def scenarios() -> list[Scenario]:
    """The rows of the table."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows[1:]]
    return [Scenario(*row) for row in cells]


def tellings(count: int) -> list[Telling]:
    """Every scenario, several times."""
    return [Telling(scenario, number) for scenario in scenarios() for number in range(count)]


def every_order() -> list[Telling]:
    """Every scenario in each order of its events."""
    return [
        Telling(scenario, number)
        for scenario in scenarios()
        for number in range(factorial(len(scenario.told.split(";"))))
    ]


def permutation(size: int, number: int) -> list[int]:
    """One of the orders of so many things by its number in their sequence (Lehmer's code), counted on past the last."""
    left, order = list(range(size)), []
    number %= factorial(size)
    for place in range(size - 1, -1, -1):
        position, number = divmod(number, factorial(place))
        order.append(left.pop(position))
    return order


def tell(studio: Studio, told: list[Telling], *parts: int) -> str:
    """Land some of the three parts of every telling and build; returns how the build was made."""
    hand = [rule for telling in told for rule in telling.hand_rules(parts[-1])]
    (studio.folder / "definitions" / "identity.yml").write_text(json.dumps({**RULES, "hand": hand}))
    for part in parts:
        studio.land(f"part{part}", [event for telling in told for event in telling.parts()[part]])
    return str(studio.build("--as-of", "2026-03-03")["how"])


def persons(studio: Studio, told: Iterable[Telling]) -> dict[str, Any]:
    """The persons of each telling."""
    links: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in _rows(studio, LINKS):
        links[row["space"]].append((row["person_id"], row["id_type"], row["id_value"]))
    events = {row["event_id"]: row["person_id"] for row in _rows(studio, EVENTS)}
    return {telling.space: _persons_of(telling, links, events) for telling in told}


def _rows(studio: Studio, query: str) -> Any:
    return studio.ok("sql", query, "--format", "json").json


def _persons_of(telling: Telling, links: Mapping[str, list[tuple[str, str, str]]], events: Mapping[str, str]) -> Any:
    """The persons that a warehouse made of a telling.

    Args:
        telling: whose.
        links: for each telling's space the identifiers as (person_id, id_type, id_value).
        events: the person of each event.
    """
    found: dict[str, set[tuple[str, str] | int]] = {}
    for person_id, id_type, id_value in links.get(telling.space, []):
        found.setdefault(person_id, set()).add((id_type, id_value))
    for number in telling.named_events():
        found.setdefault(events[telling.event_id(number)], set()).add(number)
    return {person: frozenset(members) for person, members in found.items()}
