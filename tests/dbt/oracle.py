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

from models.keys import uuid5
from tests.dbt.identities import Delivery, Identities, Person, Rules, in_time, key, speaker, uuid_of
from tests.dbt.oracle_deliveries import arrival_of, channel_of, matches_of, rank, winners_of
from tests.dbt.oracle_intervals import (
    Statement,
    as_json,
    as_text,
    first_facts,
    monday_of,
    quoted,
    status_intervals,
    trait_intervals,
    usage_at,
    usage_intervals,
)

#: From a person's events in the order of time to the stays [entered, exited); None: without end.
Rule = Callable[[list[Delivery]], list[tuple[datetime, datetime | None]]]

ACTING_SOURCES = ("app", "segment", "custom")
COMPUTED = {
    *("usage_status", "billing_status", "billing_plan", "mrr", "status", "signup_date", "cohort"),
    *("source", "medium", "campaign", "segment", "total_spent"),
}
PROFILE = ("email", "name", "company", "industry")


@dataclass(frozen=True)
class Kind:
    """What the event catalog says of an event type."""

    category: str | None
    is_action: bool


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
        rules: Rules | None = None,
    ) -> None:
        self.deliveries = list(deliveries)
        self.catalog = catalog
        self.segments = segments
        self.as_of = as_of
        self.bodies = winners_of(self.deliveries)
        self.matches = matches_of(self.bodies)
        uncounted = {copy["body_key"] for match in self.matches for copy in match[1:]}
        self.winners = [event for event in self.bodies if event["body_key"] not in uncounted]
        self.identities = Identities(self.winners, rules or Rules())

    # Events -------------------------------------------------------------------------------------------------------

    def event(self) -> list[dict[str, Any]]:
        """All events with their person."""
        return [
            {
                **{name: event[name] for name in ("source", "event_id", "event_type", "occurred_at", "received_at")},
                "category": self._kind(event).category,
                "is_action": self._is_action(event),
                "identifier_key": None if speaker(event) is None else key(speaker(event)),
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
        for delivery in sorted(self.deliveries, key=rank):
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
                "channel": channel_of(copy),
                "arrived_at": arrival_of(copy),
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
                    visits.append((person, f"{person.person_key}-{_micros(event['occurred_at'])}", current))
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
        for event in sorted(self.winners, key=in_time):
            if event["account_id"] is not None:
                groups[event["account_id"]].append(event)
        return [
            {
                "account_id": account_id,
                "name": _last(
                    as_text(name)
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
            {"alias_id": str(uuid_of(identifier)), "person_id": person.person_id, "person_key": person.person_key}
            for identifier, person in self.identities.own.items()
        ]

    def identity_link(self) -> list[dict[str, Any]]:
        """Every identifier, its person for a while or for ever, and the event that first showed it."""
        rows = []
        for identifier, first in self.identities.first.items():
            for start, end, person in self.identities.intervals(identifier):
                if start is None and end is not None and end <= first["occurred_at"]:
                    continue
                alias = str(uuid_of(identifier))
                rows.append(
                    {
                        "link_id": alias if start is None else str(uuid5(f"{alias}@{_micros(start)}")),
                        "person_id": person.person_id,
                        "person_key": person.person_key,
                        "identifier_key": key(identifier),
                        "id_type": identifier[0],
                        "id_value": identifier[1],
                        "created_at": first["occurred_at"],
                        "event_id": first["event_id"],
                        "is_primary": start is None and alias == person.person_id,
                        "valid_from": start or first["occurred_at"],
                        "valid_to": end,
                    }
                )
        return rows

    def identity_decision(self) -> list[dict[str, Any]]:
        """Every pair of identifiers that came together, and what the rules made of it."""
        rows = []
        for pair, rule in self.identities.refused.items():
            left, right = sorted(pair, key=key)
            sight = self.identities.edges.get(pair)
            is_link = frozenset(pair) in {frozenset(link) for link in self.identities.rules.links}
            rows.append(
                {
                    "left_key": key(left),
                    "left_type": left[0],
                    "left_value": left[1],
                    "right_key": key(right),
                    "right_type": right[0],
                    "right_value": right[1],
                    "is_accepted": rule is None,
                    "refused_by": rule,
                    "trust": "hand" if is_link or sight is None else "browser" if sight.is_unsigned else "server",
                    "event_id": None if is_link or sight is None else sight.event_id,
                }
            )
        return rows

    def person_property(self) -> list[dict[str, Any]]:
        """Everything that is told of a person, with its past and its foreseeable future."""
        rows = []
        for person, events in self._by_person(self.winners).items():
            actions = [event["occurred_at"] for event in events if self._is_action(event)]
            for name, value, kind, start, end in (
                *usage_intervals(events[0]["occurred_at"], actions),
                *status_intervals(events[0]["occurred_at"], actions),
                ("billing_status", "none", "text", events[0]["occurred_at"], None),
                *trait_intervals(self._said(person, events)),
                *first_facts(events),
                *self._segment_intervals(events),
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
            usage = usage_at(actions, self.as_of)
            said = {
                name: (value, kind)
                for name, value, kind, _, end in trait_intervals(self._said(person, events, self.as_of))
                if end is None
            }
            other = [f"{quoted(name)}:{as_json(*said[name])}" for name in sorted(said) if name not in PROFILE]
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
                    "cohort": monday_of(min(signups)) if signups else None,
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
        person = self._person(event)
        return None if person is None else person.person_key

    def _person(self, event: Delivery) -> Person | None:
        known_by = speaker(event)
        return None if known_by is None else self.identities.owner(known_by, event["occurred_at"])

    def _said(self, person: Person, events: list[Delivery], by: datetime | None = None) -> list[Statement]:
        """What a person's events say of its traits, and the addresses that belong to it, each at its first sight."""
        said = [
            (event["occurred_at"], event["body_key"], 1, name, value)
            for event in events
            if event["event_type"] != "group"
            for name, value in json.loads(event["traits"] or "{}").items()
            if name not in COMPUTED
        ]
        seen = set()
        for event in sorted(self.winners, key=in_time):
            address = event["email"]
            if address is None or address in seen or (by is not None and event["occurred_at"] > by):
                continue
            seen.add(address)
            owner = self.identities.own[("email", hashlib.sha256(address.encode()).hexdigest())]
            if owner == person:
                said.append((event["occurred_at"], event["body_key"], 0, "email", address))
        return sorted(said, key=lambda statement: statement[:3])

    def _by_person(self, events: Iterable[Delivery]) -> dict[Person, list[Delivery]]:
        """Events of each person in the order of time; those without a person are in nobody's."""
        found: dict[Person, list[Delivery]] = defaultdict(list)
        for event in sorted(events, key=in_time):
            person = self._person(event)
            if person is not None:
                found[person].append(event)
        return found

    def _segment_of(self, events_by_now: list[Delivery]) -> str | None:
        """The first segment in display order that the person is in at as_of: events by then decide."""
        for segment_id, rule in self.segments.items():
            for entered, exited in rule(events_by_now):
                if entered <= self.as_of and (exited is None or exited > self.as_of):
                    return segment_id
        return None

    def _segment_intervals(self, events: list[Delivery]) -> list[tuple[Any, ...]]:
        """The first segment in display order at every moment at which a stay begins or ends."""
        stays = [(name, *stay) for name, rule in self.segments.items() for stay in rule(events)]
        moments = sorted({moment for _, *stay in stays for moment in stay if moment is not None})
        held: list[tuple[str | None, datetime]] = []
        for now in moments:
            inside = (name for name, entered, exited in stays if entered <= now and (exited is None or exited > now))
            name = next(inside, None)
            if not held or held[-1][0] != name:
                held.append((name, now))
        ends = [start for _, start in held[1:]] + [None]
        return [
            ("segment", name, "text", start, end)
            for (name, start), end in zip(held, ends, strict=True)
            if name is not None
        ]


def _micros(moment: datetime) -> int:
    return (moment - datetime.fromisoformat("1970-01-01T00:00Z")) // timedelta(microseconds=1)


def _membership_id(person: Person, segment_id: str, entered: datetime) -> str:
    return str(uuid5(f"{person.person_id}|{segment_id}|{entered.isoformat(timespec='microseconds')}"))


def _last(values: Iterable[str | None]) -> str | None:
    found = list(values)
    return found[-1] if found else None
