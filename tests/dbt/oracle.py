"""What the tables must hold, in plain Python from the definitions of the words (docs), never from the SQL.

Deliveries are dictionaries with the columns of a landing file. Every function takes and returns plain values.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.keys import identifier_uuid, key_of, uuid5

Delivery = Mapping[str, Any]
Identifier = tuple[str, str]
#: From a person's events in the order of time to the stays [entered, exited); None: without end.
Rule = Callable[[list[Delivery]], list[tuple[datetime, datetime | None]]]

PLAIN_IDENTIFIERS = ("user_id", "stripe_id", "google_id", "github_id", "anonymous_id", "device_id")
SPEAKS_FIRST = ("user_id", "email", "stripe_id", "google_id", "github_id", "anonymous_id", "device_id")
ACTING_SOURCES = ("app", "segment", "custom")
COMPUTED = {
    *("usage_status", "billing_status", "status", "signup_date", "cohort"),
    *("source", "medium", "campaign", "segment"),
}
#: What identifies nobody, besides texts of zeros and dashes.
NOBODY = {
    *("", "-1", "null", "(null)", "nil", "none", "undefined", "nan", "n/a", "true", "false", "unknown"),
    *("(not set)", "not set", "anonymous", "guest", "[object object]", "9774d56d682e549c"),
}
NOBODY_HASHED = {hashlib.sha256(value.encode()).hexdigest() for value in NOBODY}
PROFILE = ("email", "name", "company", "industry")


@dataclass(frozen=True)
class Kind:
    """What the event catalog says of an event type."""

    category: str | None
    is_action: bool


@dataclass(frozen=True)
class Person:
    """A connected component of identifiers, named after its survivor."""

    person_id: str
    person_key: int


class Tables:
    """The tables of a landing, its definitions and a point in time; each method is a table: a list of rows.

    Segments come in their display order.
    """

    def __init__(
        self,
        deliveries: Iterable[Delivery],
        catalog: Mapping[str, Kind],
        segments: Mapping[str, Rule],
        as_of: datetime,
    ) -> None:
        self.deliveries = list(deliveries)
        self.catalog = catalog
        self.segments = segments
        self.as_of = as_of
        self.bodies = _winners(self.deliveries)
        self.matches = _matches(self.bodies)
        uncounted = {copy["body_key"] for match in self.matches for copy in match[1:]}
        self.winners = [event for event in self.bodies if event["body_key"] not in uncounted]
        self.persons = _persons(self.winners)

    # Events -------------------------------------------------------------------------------------------------------

    def event(self) -> list[dict[str, Any]]:
        """All events with their person."""
        return [
            {
                **{name: event[name] for name in ("source", "event_id", "event_type", "occurred_at", "received_at")},
                "category": self._kind(event).category,
                "is_action": self._is_action(event),
                "identifier_key": _key(_speaker(event)),
                "person_key": self._person_key(event),
                "body_key": event["body_key"],
                "traits": event["traits"],
            }
            for event in self.winners
        ]

    def event_conflict(self) -> list[dict[str, Any]]:
        """Bodies that lost, each with the first time it was received."""
        won = {(event["source"], event["event_id"]): event["body_key"] for event in self.bodies}
        first: dict[tuple[str, str, int], Delivery] = {}
        for delivery in sorted(self.deliveries, key=_rank):
            key = (delivery["source"], delivery["event_id"], delivery["body_key"])
            if won[key[:2]] != key[2]:
                first.setdefault(key, delivery)
        names = ("source", "event_id", "body_key", "received_at", "occurred_at", "event_type")
        return [{name: delivery[name] for name in names} for delivery in first.values()]

    def meta_copy(self) -> list[dict[str, Any]]:
        """Copies of Meta events with the copy of their match that counts."""
        names = ("source", "event_id", "event_type", "source_id", "occurred_at", "received_at", "body_key")
        return [
            {
                **{name: copy[name] for name in names},
                "channel": _channel(copy),
                "arrived_at": _arrived(copy),
                "counted_event_id": match[0]["event_id"],
                "is_counted": copy is match[0],
            }
            for match in self.matches
            for copy in match
        ]

    def event_daily(self) -> list[dict[str, Any]]:
        """Counts per person, UTC day, event type and is_action."""
        counts: dict[tuple[Any, ...], int] = defaultdict(int)
        for person, events in self._by_person(self.winners).items():
            for event in events:
                kind = self._kind(event)
                day = event["occurred_at"].date()
                counts[person.person_key, day, event["event_type"], kind.category, self._is_action(event)] += 1
        names = ("person_key", "activity_on", "event_type", "category", "is_action")
        return [dict(zip(names, key, strict=True)) | {"events": count} for key, count in counts.items()]

    def session(self) -> list[dict[str, Any]]:
        """Visits: the source's session, else events at most 30 minutes apart."""
        visits = []
        for person, events in self._by_person(self.winners).items():
            named: dict[str, list[Delivery]] = defaultdict(list)
            last: Delivery | None = None
            for event in events:
                if event["session_id"] is not None:
                    named[event["session_id"]].append(event)
                    continue
                if last is None or event["occurred_at"] - last["occurred_at"] > timedelta(minutes=30):
                    current: list[Delivery] = []
                    micros = (event["occurred_at"] - datetime.fromisoformat("1970-01-01T00:00Z")) // _MICROSECOND
                    visits.append((person, f"{person.person_key}-{micros}", current))
                current.append(event)
                last = event
            visits += [(person, session_id, events) for session_id, events in named.items()]
        return [
            {
                "session_id": session_id,
                "person_key": person.person_key,
                "started_at": events[0]["occurred_at"],
                "ended_at": events[-1]["occurred_at"],
                "events": len(events),
                "entry_event_type": events[0]["event_type"],
                **{name: events[0][name] for name in ("utm_source", "utm_medium", "utm_campaign")},
            }
            for person, session_id, events in visits
        ]

    def account(self) -> list[dict[str, Any]]:
        """Groups: their events, persons and last stated name."""
        groups: dict[str, list[Delivery]] = defaultdict(list)
        for event in sorted(self.winners, key=_in_time):
            if event["account_id"] is not None:
                groups[event["account_id"]].append(event)
        return [
            {
                "account_id": account_id,
                "name": _last(
                    _text(name)
                    for event in events
                    if event["event_type"] == "group"
                    and (name := json.loads(event["traits"] or "{}").get("name")) is not None
                ),
                "first_seen_at": events[0]["occurred_at"],
                "last_event_at": events[-1]["occurred_at"],
                "events": len(events),
                "persons": len({self._person_key(event) for event in events} - {None}),
            }
            for account_id, events in groups.items()
        ]

    # Persons ------------------------------------------------------------------------------------------------------

    def person_alias(self) -> list[dict[str, Any]]:
        """Every identifier's UUID and its person."""
        return [
            {"alias_id": str(_uuid(identifier)), "person_id": person.person_id, "person_key": person.person_key}
            for identifier, person in self.persons.items()
        ]

    def identity_link(self) -> list[dict[str, Any]]:
        """Every identifier, its person, and the event that first showed it."""
        first: dict[Identifier, Delivery] = {}
        for event in sorted(self.winners, key=_in_time):
            for identifier in _identifiers(event):
                first.setdefault(identifier, event)
        return [
            {
                "link_id": str(_uuid(identifier)),
                "person_id": person.person_id,
                "person_key": person.person_key,
                "identifier_key": _key(identifier),
                "id_type": identifier[0],
                "id_value": identifier[1],
                "created_at": first[identifier]["occurred_at"],
                "event_id": first[identifier]["event_id"],
                "is_primary": str(_uuid(identifier)) == person.person_id,
                "valid_from": first[identifier]["occurred_at"],
                "valid_to": None,
            }
            for identifier, person in self.persons.items()
        ]

    def person_property(self) -> list[dict[str, Any]]:
        """Everything that is told of a person, with its past and its foreseeable future."""
        rows = []
        for person, events in self._by_person(self.winners).items():
            for name, value, kind, start, end in (
                *self._usage_intervals(events),
                *_trait_intervals(events),
                *_first_facts(events),
            ):
                rows.append(
                    {
                        "person_key": person.person_key,
                        "property": name,
                        "value": value,
                        "value_type": kind,
                        "valid_from": start,
                        "valid_to": end,
                    }
                )
        return rows

    def person(self) -> list[dict[str, Any]]:
        """Persons seen by as_of, from the events by then; which identifiers they have is for all time."""
        rows = []
        seen = [event for event in self.winners if event["occurred_at"] <= self.as_of]
        for person, events in self._by_person(seen).items():
            actions = [event["occurred_at"] for event in events if self._is_action(event)]
            signups = [event["occurred_at"] for event in events if event["event_type"] == "signup_completed"]
            usage = self._usage_at(actions, self.as_of)
            said = {name: (value, kind) for name, value, kind, _, end in _trait_intervals(events) if end is None}
            other = [f"{_text_json(name)}:{_json_text(*said[name])}" for name in sorted(said) if name not in PROFILE]
            rows.append(
                {
                    "person_id": person.person_id,
                    "person_key": person.person_key,
                    "created_at": events[0]["occurred_at"],
                    "updated_at": events[-1]["occurred_at"],
                    **{name: said.get(name, (None,))[0] for name in PROFILE},
                    "status": "active" if usage in ("new", "active") else "inactive",
                    "usage_status": usage,
                    "billing_status": "none",
                    "signup_date": min(signups, default=None),
                    "first_action_date": min(actions, default=None),
                    "last_action_date": max(actions, default=None),
                    "segment": self._segment_of(events),
                    "cohort": _monday(min(signups)) if signups else None,
                    "source": events[0]["utm_source"],
                    "medium": events[0]["utm_medium"],
                    "campaign": events[0]["utm_campaign"],
                    "total_events": len(events),
                    "total_spent": 0,
                    "last_event_at": events[-1]["occurred_at"],
                    "metadata": "{" + ",".join(other) + "}" if other else None,
                }
            )
        return rows

    def segment_stay(self) -> list[dict[str, Any]]:
        """All stays, those that lie ahead too."""
        return [
            {
                "membership_id": _membership_id(person, segment_id, entered),
                "person_key": person.person_key,
                "segment_id": segment_id,
                "entered_at": entered,
                "exited_at": exited,
            }
            for person, events in self._by_person(self.winners).items()
            for segment_id, rule in self.segments.items()
            for entered, exited in rule(events)
        ]

    def segment_membership(self) -> list[dict[str, Any]]:
        """The stays that began by as_of; when one will end is told only if nothing happened after as_of."""
        rows = []
        for person, events in self._by_person(self.winners).items():
            is_over = events[-1]["occurred_at"] > self.as_of
            for segment_id, rule in self.segments.items():
                for entered, exited in rule(events):
                    if entered > self.as_of:
                        continue
                    is_active = exited is None or exited > self.as_of
                    rows.append(
                        {
                            "membership_id": _membership_id(person, segment_id, entered),
                            "person_id": person.person_id,
                            "person_key": person.person_key,
                            "segment_id": segment_id,
                            "entered_at": entered,
                            "exited_at": None if is_active else exited,
                            "expires_at": exited if is_active and not is_over else None,
                            "is_active": is_active,
                            "metadata": None,
                        }
                    )
        return rows

    # The parts ----------------------------------------------------------------------------------------------------

    def _kind(self, event: Delivery) -> Kind:
        return self.catalog.get(event["event_type"], self.catalog["*"])

    def _is_action(self, event: Delivery) -> bool:
        return self._kind(event).is_action and event["source"] in ACTING_SOURCES

    def _person_key(self, event: Delivery) -> int | None:
        speaker = _speaker(event)
        return None if speaker is None else self.persons[speaker].person_key

    def _by_person(self, events: Iterable[Delivery]) -> dict[Person, list[Delivery]]:
        """Events of each person in the order of time; those without a person are in nobody's."""
        found: dict[Person, list[Delivery]] = defaultdict(list)
        for event in sorted(events, key=_in_time):
            speaker = _speaker(event)
            if speaker is not None:
                found[self.persons[speaker]].append(event)
        return found

    def _segment_of(self, events_by_now: list[Delivery]) -> str | None:
        """The first segment in display order that the person is in at as_of: events by then decide."""
        for segment_id, rule in self.segments.items():
            for entered, exited in rule(events_by_now):
                if entered <= self.as_of and (exited is None or exited > self.as_of):
                    return segment_id
        return None

    def _usage_at(self, actions: list[datetime], moment: datetime) -> str:
        past = [action for action in actions if action <= moment]
        if not past:
            return "never"
        if moment - min(past) < timedelta(days=7):
            return "new"
        return "active" if moment - max(past) < timedelta(days=30) else "inactive"

    def _usage_intervals(self, events: list[Delivery]) -> list[tuple[Any, ...]]:
        """The status at every moment it can change, as if nothing more will happen."""
        actions = [event["occurred_at"] for event in events if self._is_action(event)]
        born = events[0]["occurred_at"]
        moments = {born, *actions, *(action + timedelta(days=30) for action in actions)}
        if actions:
            moments.add(min(actions) + timedelta(days=7))
        changes: list[tuple[datetime, str]] = []
        for moment in sorted(moments):
            status = self._usage_at(actions, moment)
            if not changes or changes[-1][1] != status:
                changes.append((moment, status))
        ends = [moment for moment, _ in changes[1:]] + [None]
        return [
            ("usage_status", status, "text", start, end) for (start, status), end in zip(changes, ends, strict=True)
        ]


_MICROSECOND = timedelta(microseconds=1)


def _in_time(event: Delivery) -> tuple[datetime, int]:
    return event["occurred_at"], event["body_key"]


def _winners(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Of several bodies with one key the smallest (received_at, body) wins; no time comes last."""
    best: dict[tuple[str, str], Delivery] = {}
    for delivery in deliveries:
        key = (delivery["source"], delivery["event_id"])
        if key not in best or _rank(delivery) < _rank(best[key]):
            best[key] = delivery
    return list(best.values())


def _rank(delivery: Delivery) -> tuple[bool, float, int]:
    received = delivery["received_at"]
    return received is None, received.timestamp() if received else 0.0, delivery["body_key"]


def _matches(events: Iterable[Delivery]) -> list[list[Delivery]]:
    """The copies of each Meta event, the one that counts first; one event lasts 48 hours from its first copy."""
    named: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (_arrived(event), event["body_key"])):
        if event["source"] == "meta_pixel" and event["source_id"] and _channel(event):
            named[event["event_type"], event["source_id"]].append(event)
    matches: list[list[Delivery]] = []
    for copies in named.values():
        start = None
        for copy in copies:
            if start is None or _arrived(copy) - start >= timedelta(hours=48):
                start = _arrived(copy)
                matches.append([])
            matches[-1].append(copy)
    return [_counted_first(match) for match in matches]


def _counted_first(match: list[Delivery]) -> list[Delivery]:
    for copy in match:
        if _channel(copy) == "pixel" and _arrived(copy) - _arrived(match[0]) < timedelta(minutes=5):
            return [copy, *(other for other in match if other is not copy)]
    return match


def _channel(event: Delivery) -> str | None:
    channel: str | None = json.loads(event["metadata"] or "{}").get("channel")
    return channel


def _arrived(event: Delivery) -> datetime:
    moment: datetime = event["received_at"] or event["occurred_at"]
    return moment


def _identifiers(event: Delivery) -> list[Identifier]:
    return [(name, value) for name, value in _carried(event) if not _is_nobody(name, value)]


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


def _speaker(event: Delivery) -> Identifier | None:
    """The identifier by which the event knows its person."""
    found = {name: (name, value) for name, value in reversed(_identifiers(event))}
    for name in SPEAKS_FIRST:
        if name in found:
            return found[name]
    return found[min(found)] if found else None


def _uuid(identifier: Identifier) -> Any:
    id_type, value = identifier
    return identifier_uuid("email_sha256" if id_type == "email" else id_type, value)


def _key(identifier: Identifier | None) -> int | None:
    return None if identifier is None else key_of(_uuid(identifier))


def _persons(events: Iterable[Delivery]) -> dict[Identifier, Person]:
    """Which person each identifier belongs to: those that one event carries belong together."""
    first_seen: dict[Identifier, datetime] = {}
    group: dict[Identifier, set[Identifier]] = {}
    for event in events:
        found = _identifiers(event)
        merged = set(found).union(*(group.get(identifier, set()) for identifier in found))
        for identifier in merged:
            group[identifier] = merged
        for identifier in found:
            at = event["occurred_at"]
            first_seen[identifier] = min(first_seen.get(identifier, at), at)
    persons = {}
    for identifier, members in group.items():
        survivor = min(members, key=lambda member: (first_seen[member], *member))
        persons[identifier] = Person(str(_uuid(survivor)), key_of(_uuid(survivor)))
    return persons


def _trait_intervals(events: list[Delivery]) -> list[tuple[Any, ...]]:
    """What events say of the person's traits; null takes a trait back.

    An address given as an identifier says the trait email when it is first seen in full.
    """
    said: dict[str, dict[datetime, Any]] = defaultdict(dict)
    addresses = set()
    for event in events:
        if event["email"] is not None and event["email"] not in addresses:
            addresses.add(event["email"])
            said["email"][event["occurred_at"]] = event["email"]
        if event["event_type"] != "group":
            for name, value in json.loads(event["traits"] or "{}").items():
                if name not in COMPUTED:
                    said[name][event["occurred_at"]] = value
    rows = []
    for name, values in said.items():
        changes: list[tuple[datetime, Any]] = []
        for moment, value in values.items():
            if not changes or not _same(changes[-1][1], value):
                changes.append((moment, value))
        ends = [moment for moment, _ in changes[1:]] + [None]
        for (start, value), end in zip(changes, ends, strict=True):
            if value is not None:
                rows.append((name, _text(value), _type(value), start, end))
    return rows


def _first_facts(events: list[Delivery]) -> list[tuple[Any, ...]]:
    """Facts that never change: the signup, and the first touch (a direct visit is one)."""
    born = events[0]
    rows = [
        (name, born[column], "text", born["occurred_at"], None)
        for name, column in (("source", "utm_source"), ("medium", "utm_medium"), ("campaign", "utm_campaign"))
        if born[column] is not None
    ]
    signups = [event["occurred_at"] for event in events if event["event_type"] == "signup_completed"]
    if signups:
        signup = min(signups)
        rows += [
            ("signup_date", signup.isoformat(timespec="microseconds"), "time", signup, None),
            ("cohort", _monday(signup), "text", signup, None),
        ]
    return rows


def _same(left: Any, right: Any) -> bool:
    return (_text(left), _type(left)) == (_text(right), _type(right))


def _type(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "json"


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _membership_id(person: Person, segment_id: str, entered: datetime) -> str:
    return str(uuid5(f"{person.person_id}|{segment_id}|{entered.isoformat(timespec='microseconds')}"))


def _json_text(value: str, kind: str) -> str:
    return _text_json(value) if kind == "text" else value


def _text_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _monday(moment: datetime) -> str:
    return str(moment.date() - timedelta(days=moment.weekday()))


def _last(values: Iterable[str | None]) -> str | None:
    found = list(values)
    return found[-1] if found else None
