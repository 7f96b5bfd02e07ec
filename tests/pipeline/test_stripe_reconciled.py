"""Whoever lost webhooks, or never had any, has the same subscriptions after asking Stripe's API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.fakestripe import FakeStripe, fake_stripe
from tests.ingest.simulator.worlds import deliveries, raw_lines, world
from tests.pipeline.projects import Studio

LIVE_KEY = "rk_live_51H8secret"
COLUMNS = (
    "stripe_subscription_id, stripe_status, status, quantity, currency, billing_interval, plan_id,"
    " cancel_requested_at, cancelled_at, cancellation_reason, renewal_date, stripe_customer_id"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated world."""
    return world(tmp_path_factory.mktemp("world") / "world", 300, days=200)


@pytest.fixture(scope="module")
def complete(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio that has received all that Stripe delivered."""
    return landed(tmp_path_factory.mktemp("complete"), raw_lines(folder, "stripe"))


@pytest.fixture
def stripe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    """The API as it is at the end: every object as it was last told, subscriptions with their customers."""
    objects = last_told(folder)
    with fake_stripe() as fake:
        monkeypatch.setenv("STRIPE_API_KEY", LIVE_KEY)
        monkeypatch.setenv("GDP_STRIPE_API_BASE", fake.url)
        fake.key = LIVE_KEY
        for (kind, _), value in objects.items():
            customer = objects.get(("customer", value.get("customer")))
            fake.add(f"/v1/{kind}s", {**value, "customer": customer} if kind == "subscription" and customer else value)
        yield fake


def last_told(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Every object of the world by type and id, as the last event tells it; a deletion is the last."""

    def order(event: dict[str, Any]) -> tuple[bool, int, int, str]:
        is_deleted = event["type"].endswith(".deleted")
        return is_deleted, event["created"], not event["type"].endswith(".created"), event["id"]

    events = {event["id"]: event for event in (found["body"] for found in deliveries(folder, "stripe"))}
    told = [event["data"]["object"] for event in sorted(events.values(), key=order)]
    return {(value["object"], value["id"]): value for value in told}


def landed(folder: Path, lines: list[bytes]) -> Studio:
    """A new studio with these deliveries."""
    studio = Studio.make(folder / "studio")
    file = folder / "stripe.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    studio.gdp("ingest", "stripe", file)
    return studio


def subscriptions(studio: Studio) -> list[dict[str, Any]]:
    """All subscriptions that are built, in the order of their ids."""
    studio.ok("build")
    found: list[dict[str, Any]] = studio.ok(
        "sql", f"select {COLUMNS} from subscription order by 1", "--format", "json"
    ).json
    return found


@pytest.mark.slow
def test_lost_webhooks_are_made_up_for(complete: Studio, folder: Path, stripe: FakeStripe, tmp_path: Path) -> None:
    """A third of all deliveries is lost; after gdp reconcile the subscriptions are those of who lost nothing."""
    studio = landed(tmp_path, [line for number, line in enumerate(raw_lines(folder, "stripe")) if number % 3])
    kinds = {kind["kind"]: kind for kind in studio.ok("reconcile", "--format", "json").json["kinds"]}
    assert kinds["subscriptions"]["missing"] > 0
    assert kinds["subscriptions"]["stale"] > 0
    again = studio.ok("reconcile", "--format", "json").json["kinds"]
    assert [(kind["missing"], kind["stale"]) for kind in again] == [(0, 0)] * 4
    expected = subscriptions(complete)
    assert len(expected) > 30
    assert subscriptions(studio) == expected


@pytest.mark.slow
def test_who_never_had_webhooks_begins_with_the_api(complete: Studio, stripe: FakeStripe, tmp_path: Path) -> None:
    """gdp ingest stripe --from-api gives the subscriptions of who received every webhook."""
    studio = Studio.make(tmp_path / "studio")
    assert studio.ok("ingest", "stripe", "--from-api", "--format", "json").json["landed"] > 100
    assert subscriptions(studio) == subscriptions(complete)
