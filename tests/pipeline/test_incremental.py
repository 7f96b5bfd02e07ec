"""A week of daily loads: the incremental warehouse is, table by table, the full refresh."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.projects import Studio

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
TYPES = ("page_viewed", "signup_completed", "video_rendered", "batch_render_completed", "invite_sent", "never_listed")


class Life:
    """Random deliveries with everything that makes increments hard."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.told: list[dict[str, Any]] = []
        self.count = 0

    def day(self, number: int, size: int) -> list[dict[str, Any]]:
        """One day's delivery: new events, late ones, repeats, other bodies under a known id, bridges of identities."""
        chance = self.chance
        delivery = [self.event(number, late=chance.random() < 0.1) for _ in range(size)]
        if self.told:
            delivery += chance.sample(self.told, k=min(len(self.told), size // 10))
            for known in chance.sample(self.told, k=min(len(self.told), size // 20)):
                received = START + timedelta(days=chance.choice((number, -1)), seconds=chance.randint(0, 900))
                delivery.append({**known, "sessionId": f"s{chance.randint(0, 3)}", "receivedAt": received.isoformat()})
        self.told += delivery
        return delivery

    def event(self, number: int, *, late: bool) -> dict[str, Any]:
        """One event; its identifiers join persons that were apart before."""
        chance = self.chance
        self.count += 1
        day = number - chance.uniform(1, 60) if late else number + chance.random()
        fields: dict[str, Any] = {
            "eventId": f"e{self.count}",
            "eventType": chance.choice(TYPES),
            "timestamp": (START + timedelta(days=day)).isoformat(),
        }
        for key, most in (("personId", 25), ("anonymousId", 60), ("deviceId", 60), ("email", 25)):
            if chance.random() < 0.35:
                value = chance.randint(1, most)
                fields[key] = f"mail{value}@example.com" if key == "email" else f"{key}-{value}"
        if chance.random() < 0.2:
            fields["traits"] = {"name": f"n{chance.randint(1, 9)}", "seats": chance.randint(1, 3)}
        if chance.random() < 0.3:
            fields |= {"utmSource": chance.choice(("google", "x")), "accountId": f"acme-{chance.randint(1, 4)}"}
        return fields


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_week_of_daily_loads_equals_a_full_refresh(tmp_path: Path, seed: int) -> None:
    """Late data, repeats, conflicts, merges, and an as_of that moves forwards, backwards and on its own."""
    studio, life = Studio.make(tmp_path / "studio"), Life(seed)
    for number in range(7):
        studio.land(f"day{number}", life.day(number, 120))
        as_of = START + timedelta(days=number + 1)
        studio.build("--as-of", as_of.isoformat())
        if number in (2, 4):
            studio.build("--as-of", (as_of + timedelta(days=40)).isoformat())
        if number in (3, 6):
            studio.build("--as-of", (as_of - timedelta(days=9)).isoformat())
        if number in (3, 6):
            incremental = studio.hashes()
            report = studio.build("--as-of", studio_as_of(studio), "--full-refresh")
            assert report["how"] == "full refresh"
            assert studio.hashes() == incremental


def studio_as_of(studio: Studio) -> str:
    """The as_of of the published generation."""
    (row,) = studio.ok("sql", "select as_of from build_info", "--format", "json").json
    return str(row["as_of"])


@pytest.mark.slow
def test_the_order_of_deliveries_does_not_matter(tmp_path: Path) -> None:
    """The same four deliveries in another order, cut into other builds, give equal tables."""
    life = Life(3)
    deliveries = [life.day(number, 100) for number in range(4)]
    hashes = []
    for index, order in enumerate(([0, 1, 2, 3], [3, 1, 0, 2])):
        studio = Studio.make(tmp_path / f"studio{index}")
        for place, number in enumerate(order):
            studio.land(f"d{number}", deliveries[number])
            if place in (1, 3):
                studio.build("--as-of", "2026-03-10")
        hashes.append(studio.hashes())
    assert hashes[0] == hashes[1]
