"""Makes data/sample: half a year of a small video-rendering studio, the same bytes at every run.

    python data/make_sample.py

A visitor comes anonymously, may sign up, may make a first video, may render, pay, invite and fall silent. A few lines
are delivered twice and a few are broken, as in real life.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

START = datetime(2026, 1, 5, tzinfo=timezone.utc)
AS_OF = datetime(2026, 7, 1, tzinfo=timezone.utc)
VISITORS = 420
CAMPAIGNS = (
    ("google", "cpc", "spring-launch", 0.55),
    ("newsletter", "email", "monthly-digest", 0.7),
    ("youtube", "video", "tutorials", 0.6),
    (None, None, None, 0.45),
)
COMPANIES = (
    "Northlight Films",
    "Pixel & Sons",
    "Studio Lumen",
    "Kite Media",
    "Harbour Post",
    "Atelier Vingt",
)
FIRST_NAMES = (
    "Ada",
    "Bela",
    "Chiara",
    "Dmitri",
    "Emeka",
    "Fatima",
    "Goran",
    "Hana",
    "Ines",
    "Jonas",
    "Kofi",
    "Léa",
)


class Studio:
    """Draws lives from one seeded source of chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def events(self) -> list[dict[str, Any]]:
        """The events of all visitors in the order in which they arrive."""
        told = [event for number in range(1, VISITORS + 1) for event in self.life(number)]
        return sorted((event for event in told if event["timestamp"] < _text(AS_OF)), key=_arrival)

    def life(self, number: int) -> Iterator[dict[str, Any]]:
        """What one visitor does, from the first page to the last render."""
        chance = self.chance
        source, medium, campaign, appeal = chance.choices(CAMPAIGNS, weights=(4, 2, 2, 5))[0]
        ids: dict[str, Any] = {"anonymousId": self.uuid(), "deviceId": f"device-{number:04d}"}
        utm = {"utmSource": source, "utmMedium": medium, "utmCampaign": campaign}
        now = START + timedelta(minutes=chance.uniform(0, 170 * 24 * 60))
        for _ in range(chance.randint(1, 4)):
            yield self.event("page_viewed", now, ids, {"path": chance.choice(("/", "/templates", "/docs"))}, utm)
            now += timedelta(minutes=chance.uniform(0.5, 20))
        if chance.random() < 0.6:
            yield self.event("pricing_viewed", now, ids, {"plan": chance.choice(("creator", "studio"))}, utm)
        if chance.random() > appeal:
            return
        now += timedelta(minutes=chance.uniform(1, 600))
        name, company = chance.choice(FIRST_NAMES), chance.choice(COMPANIES)
        email = f"{name.lower().replace('é', 'e')}.{number}@example.com"
        traits = {"name": name, "email": email, "company": company, "industry": "media"}
        ids |= {"personId": f"user-{number:04d}"}
        yield self.event("signup_completed", now, {**ids, "email": email}, {"method": "email"}, utm, traits=traits)
        ids = {"personId": ids["personId"], "deviceId": ids["deviceId"]}
        yield from self.work(now, ids)

    def work(self, now: datetime, ids: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What somebody does after signing up, until they fall silent."""
        chance = self.chance
        if chance.random() < 0.2:
            return
        now += timedelta(hours=chance.uniform(0.1, 30))
        yield self.event("project_created", now, ids, {"template": chance.choice(("none", "promo", "podcast"))})
        if chance.random() < 0.25:
            return
        now += timedelta(hours=chance.uniform(0.2, 60))
        yield self.event("first_video_created", now, ids, {"seconds": chance.randint(8, 240)})
        keen, paid = chance.random(), False
        silent_after = now + timedelta(days=chance.expovariate(1 / (12 + 130 * keen)))
        while now < silent_after:
            now += timedelta(days=chance.expovariate(0.15 + 0.75 * keen))
            yield self.event(
                "video_rendered",
                now,
                ids,
                {"seconds": chance.randint(5, 600), "codec": chance.choice(("h264", "av1"))},
            )
            if chance.random() < 0.12 * keen:
                later = now + timedelta(minutes=chance.uniform(5, 90))
                yield self.event("batch_render_completed", later, ids, {"videos": chance.randint(3, 40)})
            if not paid and chance.random() < 0.03 + 0.07 * keen:
                paid = True
                later = now + timedelta(minutes=chance.uniform(2, 60))
                plan = chance.choice(("creator", "creator", "studio"))
                yield self.event("purchase_completed", later, ids, {"plan": plan, "currency": "usd"})
            if chance.random() < 0.03:
                yield self.event("invite_sent", now + timedelta(minutes=3), ids, {"channel": "email"})

    def event(
        self,
        event_type: str,
        moment: datetime,
        ids: dict[str, Any],
        properties: dict[str, Any],
        utm: dict[str, str | None] | None = None,
        *,
        traits: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One event in the shape of the product's own tracker."""
        event = {
            "eventId": self.uuid(),
            "timestamp": _text(moment),
            "eventType": event_type,
            **ids,
            "source": "app",
        }
        event |= {key: value for key, value in (utm or {}).items() if value is not None}
        event |= {"properties": properties}
        return event | ({"traits": traits} if traits else {})

    def uuid(self) -> str:
        """A random-looking UUID from the seeded source."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _arrival(event: dict[str, Any]) -> tuple[str, str]:
    return event["timestamp"], event["eventId"]


def lines() -> list[str]:
    """The lines of the sample: every event, some of them again, and some that are broken."""
    events = [json.dumps(event, ensure_ascii=False) for event in Studio(seed=7).events()]
    repeated = events[100::700]
    broken = (
        '{"eventId": "b-1", "eventType": "video_rendered", "personId": "user-0001"}',
        '{"eventId": "b-2", "timestamp": "yesterday", "eventType": "video_rendered", "personId": "user-0002"}',
        '{"eventId": "b-3", "timestamp": "2026-03-01T10:00:00Z", "eventType": "video_rendered", ',
    )
    return [*events, *repeated, *broken]


if __name__ == "__main__":
    target = Path(__file__).parent / "sample" / "events.jsonl"
    target.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    print(f"{target.name}: {len(lines())} lines")
