"""Who is who, in plain Python from the definitions of the words: everything is looked at anew for each edge."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.keys import identifier_uuid, key_of

Delivery = Mapping[str, Any]
Identifier = tuple[str, str]
Pair = tuple[Identifier, Identifier]

PLAIN_IDENTIFIERS = ("user_id", "stripe_id", "google_id", "github_id", "anonymous_id", "device_id")
SPEAKS_FIRST = ("user_id", "email", "stripe_id", "google_id", "github_id", "anonymous_id", "device_id")
DEVICES = ("anonymous_id", "device_id")
KNOWN = ("user_id", "stripe_id")
LOGOUTS = ("logout", "logged_out", "user_logged_out", "signed_out", "sign_out", "reset")
#: What identifies nobody, besides texts of zeros and dashes.
NOBODY = {
    *("", "-1", "null", "(null)", "nil", "none", "undefined", "nan", "n/a", "true", "false", "unknown"),
    *("(not set)", "not set", "anonymous", "guest", "[object object]", "9774d56d682e549c"),
}
NOBODY_HASHED = {hashlib.sha256(value.encode()).hexdigest() for value in NOBODY}


@dataclass(frozen=True)
class Person:
    """A connected component of identifiers, named after its survivor."""

    person_id: str
    person_key: int


@dataclass(frozen=True)
class Rules:
    """What holds for the graph; hand rules are pairs of identifiers."""

    most: Mapping[str, int] = field(
        default_factory=lambda: {"user_id": 1, "stripe_id": 5, "email": 5, "google_id": 5, "github_id": 5}
    )
    hub_threshold: int = 10
    links: tuple[Pair, ...] = ()
    cuts: tuple[Pair, ...] = ()
    known_at: datetime | None = None

    def is_known(self, event: Delivery) -> bool:
        """Whether an event was received in time to say who is who."""
        return self.known_at is None or (event["received_at"] or event["occurred_at"]) <= self.known_at


@dataclass(frozen=True)
class Sight:
    """The event that proves an edge: the first of a server, else the first."""

    is_unsigned: bool
    at: datetime
    body_key: int
    event_id: str


class Identities:
    """The persons behind the events that count."""

    def __init__(self, events: Iterable[Delivery], rules: Rules) -> None:
        self.rules = rules
        self.events = list(events)
        self.first: dict[Identifier, Delivery] = {}
        self.edges: dict[frozenset[Identifier], Sight] = {}
        for event in sorted(self.events, key=in_time):
            found = identifiers(event)
            for identifier in found:
                self.first.setdefault(identifier, event)
            for one in found:
                for other in found:
                    if one != other and rules.is_known(event):
                        self._see(frozenset((one, other)), event)
        self.knots = self._knots()
        self.refused = self._judge()
        joined = _groups(self.first, [pair for pair, rule in self.refused.items() if rule is None])
        self.own = {identifier: self._person(joined[identifier]) for identifier in self.first}
        self.turns = {device: self._turns(device) for device, kind in self.knots.items() if kind == "shared_device"}

    def owner(self, identifier: Identifier, at: datetime) -> Person:
        """The person that an identifier belonged to at a time."""
        person = self.own[identifier]
        for start, turn in self.turns.get(identifier, ()):
            if start <= at:
                person = turn
        return person

    def intervals(self, identifier: Identifier) -> list[tuple[datetime | None, datetime | None, Person]]:
        """The intervals in which an identifier belongs to one person."""
        starts: list[tuple[datetime | None, Person]] = [(None, self.own[identifier]), *self.turns.get(identifier, ())]
        ends = [start for start, _ in starts[1:]] + [None]
        return [(start, end, person) for (start, person), end in zip(starts, ends, strict=True)]

    def _see(self, pair: frozenset[Identifier], event: Delivery) -> None:
        sight = Sight(not _is_signed(event), event["occurred_at"], event["body_key"], event["event_id"])
        best = self.edges.get(pair)
        if best is None or _order(sight) < _order(best):
            self.edges[pair] = sight

    def _knots(self) -> dict[Identifier, str]:
        neighbours: dict[Identifier, set[Identifier]] = defaultdict(set)
        for pair in self.edges:
            one, other = pair
            neighbours[one].add(other)
            neighbours[other].add(one)
        knots = {}
        for identifier, others in neighbours.items():
            known = [other for other in others if other[0] in KNOWN]
            users = [other for other in others if other[0] == "user_id"]
            if len(known) > self.rules.hub_threshold:
                knots[identifier] = "hub"
            elif identifier[0] in DEVICES and len(users) > 1:
                knots[identifier] = "shared_device"
        return knots

    def _judge(self) -> dict[frozenset[Identifier], str | None]:
        """Each edge and the rule that refuses it, in the order of trust, priority, time and event."""
        links = {frozenset(pair) for pair in self.rules.links if set(pair) <= set(self.first)}
        waiting = []
        for pair in {*self.edges, *links}:
            keys = sorted(map(key, pair))
            ranks = sorted((_rank(identifier) for identifier in pair), reverse=True)
            if pair in links:
                at = max(self.first[identifier]["occurred_at"] for identifier in pair)
                waiting.append(((0, ranks, at, "by hand", keys), pair))
            else:
                sight = self.edges[pair]
                waiting.append(((2 if sight.is_unsigned else 1, ranks, sight.at, sight.event_id, keys), pair))
        refused: dict[frozenset[Identifier], str | None] = {}
        groups = {identifier: {identifier} for identifier in self.first}
        for (trust, *_), pair in sorted(waiting, key=lambda entry: entry[0]):
            one, other = pair
            rule = self.knots.get(min(pair, key=key)) or self.knots.get(max(pair, key=key))
            if rule is None and groups[one] is not groups[other]:
                rule = self._forbidding(trust, groups[one], groups[other])
            if rule is None:
                merged = groups[one] | groups[other]
                for identifier in merged:
                    groups[identifier] = merged
            refused[pair] = rule
        return refused

    def _forbidding(self, trust: int, one: set[Identifier], other: set[Identifier]) -> str | None:
        merged = one | other
        if any(set(cut) <= merged for cut in self.rules.cuts):
            return "cut"
        kinds = Counter(id_type for id_type, _ in merged)
        broken = [id_type for id_type, most in sorted(self.rules.most.items()) if kinds[id_type] > most]
        if broken:
            return f"limit:{broken[0]}"
        if trust == 2 and all(any(id_type in KNOWN for id_type, _ in side) for side in (one, other)):
            return "unsigned"
        return None

    def _person(self, members: Iterable[Identifier]) -> Person:
        survivor = min(members, key=lambda member: (self.first[member]["occurred_at"], *member))
        return Person(str(uuid_of(survivor)), key_of(uuid_of(survivor)))

    def _turns(self, device: Identifier) -> list[tuple[datetime, Person]]:
        """When a shared device went to another person."""
        sights: dict[datetime, Person] = {}
        for event in sorted(self.events, key=in_time):
            found = identifiers(event)
            users = [identifier for identifier in found if identifier[0] == "user_id"]
            if device not in found or not self.rules.is_known(event):
                continue
            if event["event_type"] in LOGOUTS:
                sights[event["occurred_at"]] = self.own[device]
            elif users:
                sights[event["occurred_at"]] = self.own[users[0]]
        turns: list[tuple[datetime, Person]] = []
        before = self.own[device]
        for at, person in sights.items():
            if person != before:
                turns.append((at, person))
            before = person
        return turns


def in_time(event: Delivery) -> tuple[datetime, int]:
    """The order of events: time, then body."""
    return event["occurred_at"], event["body_key"]


def identifiers(event: Delivery) -> list[Identifier]:
    """What an event carries that identifies somebody."""
    return [(name, value) for name, value in _carried(event) if not _is_nobody(name, value)]


def speaker(event: Delivery) -> Identifier | None:
    """The identifier by which the event knows its person."""
    found = {name: (name, value) for name, value in reversed(identifiers(event))}
    for name in SPEAKS_FIRST:
        if name in found:
            return found[name]
    return found[min(found)] if found else None


def uuid_of(identifier: Identifier) -> Any:
    """The UUID of an identifier; of an e-mail by its SHA-256."""
    id_type, value = identifier
    return identifier_uuid("email_sha256" if id_type == "email" else id_type, value)


def key(identifier: Identifier) -> int:
    """The integer that stands for an identifier."""
    return key_of(uuid_of(identifier))


def _order(sight: Sight) -> tuple[bool, datetime, int]:
    return sight.is_unsigned, sight.at, sight.body_key


def _is_signed(event: Delivery) -> bool:
    if event["source"] == "segment":
        return json.loads(event["metadata"] or "{}").get("channel") == "server"
    return event["source"] != "meta_pixel"


def _rank(identifier: Identifier) -> int:
    return SPEAKS_FIRST.index(identifier[0]) if identifier[0] in SPEAKS_FIRST else len(SPEAKS_FIRST)


def _groups(nodes: Iterable[Identifier], pairs: Iterable[frozenset[Identifier]]) -> dict[Identifier, set[Identifier]]:
    groups = {node: {node} for node in nodes}
    for pair in pairs:
        one, other = pair
        merged = groups[one] | groups[other]
        for identifier in merged:
            groups[identifier] = merged
    return groups


def _is_nobody(id_type: str, value: str) -> bool:
    return value in NOBODY_HASHED if id_type == "email" else value.lower() in NOBODY or not value.strip("0-")


def _carried(event: Delivery) -> list[Identifier]:
    found = [(name, event[name]) for name in PLAIN_IDENTIFIERS if event[name] is not None]
    if event["email"] is not None:
        found.append(("email", hashlib.sha256(event["email"].encode()).hexdigest()))
    if event["email_sha256"] is not None:
        found.append(("email", event["email_sha256"]))
    found += [(f"custom:{name}", value) for name, value in json.loads(event["custom_ids"] or "{}").items()]
    return found
