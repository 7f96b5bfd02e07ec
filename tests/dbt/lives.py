"""Random deliveries that hold everything which makes increments hard, from a seed."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.dbt.builds import delivery

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
TYPES = ("page_viewed", "signup_completed", "video_rendered", "video_rendered", "group", "never_listed")
SOURCES = ("app", "app", "app", "segment", "stripe", "meta_pixel")
TRAITS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("name", ("Ada", "Zoë", 'Gr\u00e5 "x"', "Ada")),
    ("email", ("said@example.com", "other@example.com")),
    ("company", ("Acme", "Über & Co")),
    ("seats", (1, 2, 2.5)),
    ("vip", (True, False)),
    ("address", ({"city": "Köln"}, {"city": "Oslo", "zip": [1, 2]})),
    ("plan", ("pro", None, "1", 1)),
    ("cohort", ("a trait must not pass for what we compute",)),
    ("a.b *", ("odd name",)),
)


class Life:
    """Some dozens of people, who sometimes share an identifier, over some months."""

    def __init__(self, seed: int, people: int = 30) -> None:
        self.chance = random.Random(seed)
        self.people = people
        self.told: list[dict[str, Any]] = []
        self.count = 0

    def day(self, number: int, size: int) -> list[dict[str, Any]]:
        """One day's batch: new events and late ones, repeats, and other bodies under a known id."""
        batch = [self._event(number) for _ in range(size)]
        batch += [self._copy(number) for _ in range(size // 4)]
        if self.told:
            known = self.chance.sample(self.told, k=min(len(self.told), size // 4))
            batch += [self._again(event, number) for event in known if event["event_id"].startswith("e")]
        self.chance.shuffle(batch)
        self.told += batch
        return batch

    def tell(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Somebody else's batch; it is told, and not repeated by chance."""
        self.told += batch
        return batch

    def _event(self, number: int) -> dict[str, Any]:
        chance = self.chance
        self.count += 1
        days_back = chance.choice((0, 0, 0, 1, 40)) * chance.random()
        # Whole minutes, few of them: ties are wanted.
        moment = START + timedelta(days=number - days_back, minutes=chance.choice((0, 10, 29, 30, 31, 60, 200)))
        moment = moment.replace(second=0, microsecond=0)
        event_type = chance.choice(TYPES)
        return delivery(
            event_id=f"e{self.count}",
            source=chance.choice(SOURCES),
            event_type=event_type,
            occurred_at=moment,
            received_at=chance.choice((None, moment + timedelta(seconds=chance.randint(0, 3)))),
            properties=json.dumps({"n": chance.randint(1, 2)}),
            traits=self._traits() if event_type == "group" or chance.random() < 0.3 else None,
            session_id=chance.choice((None, None, f"s{chance.randint(1, 3)}")),
            account_id=chance.choice((None, "acme", "globex", "initech")),
            utm_source=chance.choice((None, "google", "x")),
            utm_medium=chance.choice((None, "cpc")),
            utm_campaign=chance.choice((None, "spring")),
            **self._identifiers(),
        )

    def _copy(self, number: int) -> dict[str, Any]:
        """A copy of a Meta event, whose ids are few: copies near 5 minutes and 48 hours apart are wanted."""
        chance = self.chance
        self.count += 1
        event_id = chance.randint(1, 12)
        steps = chance.choice((timedelta(), timedelta(hours=24), timedelta(hours=48))) * chance.randint(0, 3)
        minutes = timedelta(minutes=chance.choice((0, 0, 1, 4, 5, 6)))
        arrived = START + timedelta(days=number // 30 * 30) + steps + minutes
        return delivery(
            event_id=f"e{self.count}",
            source="meta_pixel",
            source_id=f"order-{event_id}",
            event_type=chance.choice(("purchase", "video_rendered")),
            occurred_at=arrived,
            received_at=chance.choice((None, arrived, arrived + timedelta(minutes=chance.randint(0, 3)))),
            metadata=json.dumps({"channel": chance.choice(("pixel", "server"))}),
            session_id=chance.choice((None, f"s{chance.randint(1, 3)}")),
            **self._identifiers(),
        )

    def _again(self, event: dict[str, Any], number: int) -> dict[str, Any]:
        """A repeat, or another body of the same event that arrives before, with or after it."""
        chance = self.chance
        received = event["received_at"] or START + timedelta(days=number)
        fields = {name: value for name, value in event.items() if name != "body_key"}
        fields["received_at"] = chance.choice(
            (event["received_at"], None, received - timedelta(hours=1), received + timedelta(hours=1))
        )
        if chance.random() < 0.7:
            fields |= {"properties": json.dumps({"n": chance.randint(3, 9)})}
        if chance.random() < 0.5:
            fields |= dict.fromkeys(("user_id", "anonymous_id", "device_id", "email", "email_sha256", "custom_ids"))
            fields |= self._identifiers()
        if chance.random() < 0.3:
            fields |= {"occurred_at": event["occurred_at"] + timedelta(days=chance.randint(-20, 3))}
        return delivery(**fields)

    def _identifiers(self) -> dict[str, str]:
        chance = self.chance
        if chance.random() < 0.04:
            return {}
        person = chance.randrange(self.people)
        found = {}
        for name, share in (
            *(("user_id", 0.4), ("anonymous_id", 0.6), ("device_id", 0.2), ("email", 0.15), ("email_sha256", 0.15)),
            *(("stripe_id", 0.1), ("google_id", 0.05), ("github_id", 0.05), ("custom_ids", 0.1)),
        ):
            if chance.random() < share or (name == "custom_ids" and not found):
                # Now and then somebody else's identifier: persons merge.
                who = chance.randrange(self.people) if chance.random() < 0.03 else person
                found[name] = self._value(name, who)
        return found

    def _value(self, name: str, who: int) -> str:
        if name == "email":
            return f"zoë{who}@example.com"
        if name == "email_sha256":
            return hashlib.sha256(f"zoë{who}@example.com".encode()).hexdigest()
        if name == "custom_ids":
            return json.dumps({"crm": f"c{who}", "Ärzte": f"ä{who}"}, ensure_ascii=False)
        return f"{name}-{who}-{self.chance.randrange(2)}"

    def _traits(self) -> str:
        chosen = self.chance.sample(TRAITS, k=self.chance.randint(1, 4))
        return json.dumps({name: self.chance.choice(values) for name, values in chosen}, ensure_ascii=False)


def known_cases() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Deliveries of two builds, each case with its own people: what chance may not bring together."""

    def told(case: str, event_id: str, day: float, received: float | None = None, **fields: Any) -> dict[str, Any]:
        moment = START + timedelta(days=day)
        received_at = None if received is None else START + timedelta(days=received)
        fields = {name: f"{case}-{value}" for name, value in fields.items()}
        return delivery(
            event_id=f"{case}-{event_id}",
            event_type="video_rendered",
            occurred_at=moment,
            received_at=received_at,
            **fields,
        )

    def copied(case: str, event_id: str, hour: float, channel: str, **fields: Any) -> dict[str, Any]:
        meta = {"source": "meta_pixel", "source_id": f"{case}-order", "metadata": json.dumps({"channel": channel})}
        row = told(case, event_id, hour / 24, hour / 24, **fields) | meta
        return delivery(**{name: value for name, value in row.items() if name != "body_key"})

    first = [
        # A late first copy takes the event from the second, and the third, out of its 48 hours, is an event again.
        copied("shift", "b", 40, "server", user_id="b"),
        copied("shift", "c", 60, "server", user_id="c"),
        # A copy of the pixel takes the event from the server's, which alone showed an identifier.
        copied("browser", "s", 1, "server", user_id="a", anonymous_id="z"),
        # A copy that does not count comes again, received first of all: it counts.
        copied("turned", "a", 2, "server", user_id="a"),
        copied("turned", "b", 3, "server", user_id="b"),
        # A copy that does not count comes again, and still does not.
        copied("still", "a", 2, "server", user_id="a"),
        copied("still", "b", 3, "server", user_id="b"),
        # An event that proved nothing goes over to somebody else; nothing else is said of either.
        told("moved", "e1", 1, user_id="a"),
        told("moved", "e2", 2, 2, user_id="a"),
        told("moved", "e3", 1, user_id="b"),
        # The only event of a person goes over to somebody else: the person ends.
        told("ended", "e1", 1, 1, user_id="a"),
        told("ended", "e2", 1, user_id="b"),
        # A bridge between two persons that a better body of its event takes away.
        told("bridge", "e1", 1, user_id="a"),
        told("bridge", "e2", 2, anonymous_id="b"),
        told("bridge", "e3", 3, 3, user_id="a", anonymous_id="b"),
        # A losing body comes again, received earlier; it loses still.
        told("loser", "e1", 1, 1, user_id="a"),
        told("loser", "e1", 1, 3, user_id="a", session_id="other"),
        # A losing body comes again, received first of all: it wins.
        told("turn", "e1", 1, 2, user_id="a"),
        told("turn", "e1", 1, 3, user_id="a", session_id="other"),
        # Two persons become one; the chain has more links than one.
        *(told("chain", f"e{link}", link, user_id=link, device_id=link) for link in range(5)),
        # A late event makes another identifier the first seen.
        told("late", "e1", 9, user_id="a", anonymous_id="z"),
        # The first event in full of an address known by its hash.
        told("address", "e1", 1, 1, email="a@example.com"),
        told("address", "e2", 5, email="a@example.com"),
        told("address", "e3", 0, user_id="u"),
    ]
    second = [
        copied("shift", "a", 0, "server", user_id="a"),
        copied("browser", "p", 1.05, "pixel", user_id="a"),
        copied("turned", "b", 1, "server", user_id="b"),
        copied("still", "b", 4, "server", user_id="b"),
        told("moved", "e2", 2, 1, user_id="b"),
        told("ended", "e1", 1, 0, user_id="b"),
        told("bridge", "e3", 3, 2, user_id="a"),
        told("loser", "e1", 1, 2, user_id="a", session_id="other"),
        told("turn", "e1", 1, 1, user_id="a", session_id="other"),
        *(told("chain", f"f{link}", 9, user_id=link, device_id=link + 1) for link in range(4)),
        told("late", "e2", 2, anonymous_id="z"),
        told("address", "e1", 1, 0, user_id="u"),
    ]
    return first + _shared_values("s"), second + _shared_values("t")


def _shared_values(who: str) -> list[dict[str, Any]]:
    """Deliveries of two strangers who share only values that identify nobody."""
    nothing = hashlib.sha256(b"").hexdigest()
    junk: tuple[dict[str, Any], ...] = (
        {"device_id": "unknown", "stripe_id": "0"},
        {"device_id": "UNKNOWN", "anonymous_id": "00000000-0000-0000-0000-000000000000"},
        {"email_sha256": nothing, "google_id": "undefined", "github_id": "-1"},
        {"custom_ids": json.dumps({"crm": "Null", "zoho": f"{who}-zoho"})},
        {"custom_ids": json.dumps({"crm": "n/a"})},
    )
    told = []
    for number, fields in enumerate(junk):
        moment = START + timedelta(days=number)
        known = {"event_type": "video_rendered", "occurred_at": moment, **fields}
        told.append(delivery(event_id=f"junk-{who}{number}", user_id=f"junk-{who}", **known))
        told.append(delivery(event_id=f"junk-alone-{who}{number}", **known))
        told.append(delivery(event_id=f"junk-user-{who}{number}", **known | {"user_id": "null"}))
    return told
