"""What Segment's clients, Stripe and Meta's copies look like."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.simulator.worlds import calls, deliveries, raw_lines, truth, world

OLD, NEW = "2020-08-27", "2026-10-28.endive"


def webhooks(folder: Path, version: str, type_: str) -> list[dict[str, Any]]:
    return [
        delivery["body"]["data"]["object"]
        for delivery in deliveries(folder, "stripe")
        if delivery["body"]["api_version"] == version and delivery["body"]["type"] == type_
    ]


def test_the_body_stands_last_in_its_envelope(folder: Path) -> None:
    """So that it can be cut out without parsing; only Meta's copies name a channel."""
    for kind, keys in (("segment", []), ("stripe", []), ("meta", ["channel"])):
        assert {tuple(delivery) for delivery in deliveries(folder, kind)} == {("received_at", *keys, "body")}
        assert raw_lines(folder, kind)[0].startswith(b'{"received_at":"2025-10-')


def test_segment_calls_have_what_the_specification_asks_for(folder: Path) -> None:
    """All six calls, each with an id, a time, an owner and what its type needs."""
    needs = {"track": "event", "group": "groupId", "alias": "previousId", "identify": "traits", "page": "name"}
    seen = Counter()
    for call in calls(folder):
        seen[call["type"]] += 1
        assert call["messageId"]
        assert call.get("timestamp") or call.get("originalTimestamp")
        assert call.get("userId") or call.get("anonymousId")
        assert call[needs.get(call["type"], "name")]
        assert call["context"]["library"]["name"]
    assert set(seen) == {"track", "group", "alias", "identify", "page", "screen"}
    assert any("campaign" in call["context"] for call in calls(folder))
    forms = Counter("batch" in delivery["body"] for delivery in deliveries(folder, "segment"))
    assert forms[True] > 0
    assert forms[False] > 0
    assert max(len(delivery["body"].get("batch", [])) for delivery in deliveries(folder, "segment")) <= 20


def test_stripe_writes_the_older_half_in_the_older_shape(folder: Path) -> None:
    """Where the period, the invoice's subscription, the charge's invoice and the discount stand."""
    assert min(len(webhooks(folder, version, "invoice.paid")) for version in (OLD, NEW)) > 10
    for one in webhooks(folder, OLD, "customer.subscription.updated"):
        assert one["current_period_start"] < one["current_period_end"]
        assert "current_period_end" not in one["items"]["data"][0]
    for one in webhooks(folder, NEW, "customer.subscription.updated"):
        assert one["items"]["data"][0]["current_period_start"] < one["items"]["data"][0]["current_period_end"]
        assert "current_period_end" not in one
    assert all(
        one["subscription"] and one["lines"]["data"][0]["price"] for one in webhooks(folder, OLD, "invoice.paid")
    )
    for one in webhooks(folder, NEW, "invoice.paid"):
        assert one["parent"]["subscription_details"]["subscription"]
        assert one["lines"]["data"][0]["pricing"]["price_details"]["price"]
        assert "subscription" not in one
    assert all(one["invoice"] for one in webhooks(folder, OLD, "charge.succeeded"))
    assert not any("invoice" in one for one in webhooks(folder, NEW, "charge.succeeded"))
    assert any(
        one["discount"]["coupon"] for one in webhooks(folder, OLD, "customer.subscription.created") if one["discount"]
    )
    modern = webhooks(folder, NEW, "customer.subscription.created")
    assert any(one["discounts"][0]["source"]["coupon"] for one in modern if one["discounts"])


def test_stripe_tells_every_kind_of_thing_that_happens_to_subscribers(tmp_path: Path) -> None:
    """Given enough of them."""
    folder = world(tmp_path / "world", 1500, days=365, seed=5)
    told = {event_type for (event_type,) in truth(folder, "select event_type from event_count where source = 'stripe'")}
    assert told == {
        "product.created",
        "price.created",
        "customer.created",
        *(
            f"customer.subscription.{what}"
            for what in ("created", "updated", "deleted", "paused", "resumed", "trial_will_end")
        ),
        *(f"invoice.{what}" for what in ("created", "paid", "payment_succeeded", "payment_failed", "voided")),
        *(f"charge.{what}" for what in ("succeeded", "failed", "refunded", "dispute.created", "dispute.closed")),
        "refund.created",
    }
    assert {status for (status,) in truth(folder, "select status from subscription_day")} == {
        "incomplete",
        "incomplete_expired",
        "trialing",
        "active",
        "past_due",
        "unpaid",
        "paused",
        "canceled",
    }
    assert truth(folder, "select count(distinct billing_interval), count(distinct currency) from subscription_day") == [
        (2, 2)
    ]


def test_previous_attributes_are_what_the_event_before_said(folder: Path) -> None:
    """Each change of a subscription names the old values of all that changed, and of nothing else."""
    events = {one["body"]["id"]: one["body"] for one in deliveries(folder, "stripe")}
    states: dict[str, dict[str, Any]] = {}
    checked = 0
    # A pause is told twice in its second: as a change, and as what it is.
    for event in sorted(events.values(), key=lambda event: (event["created"], not event["type"].endswith("updated"))):
        if not event["type"].startswith("customer.subscription."):
            continue
        shown = event["data"]["object"]
        before = states.get(shown["id"])
        if "previous_attributes" in event["data"] and before and before.keys() == shown.keys():
            running = {"discount", "discounts"}  # a discount that ended in between is no part of the change
            changed = {key: before[key] for key in shown if before[key] != shown[key] and key not in running}
            previous = {key: value for key, value in event["data"]["previous_attributes"].items() if key not in running}
            assert previous == changed
            checked += 1
        states[shown["id"]] = shown
    assert checked > 50


def test_stripe_events_can_be_made_objects_of_its_sdk(folder: Path) -> None:
    """With the newest version of the SDK, whatever version the event was written in."""
    stripe = pytest.importorskip("stripe")
    for delivery in deliveries(folder, "stripe"):
        event = stripe.Event.construct_from(delivery["body"], "sk_test")
        assert event.data.object.id


def test_meta_copies_share_their_name_and_id(folder: Path) -> None:
    """From the pixel, the server or both; an id comes again after 48 hours for something else."""
    copies: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    sizes = set()
    for delivery in deliveries(folder, "meta"):
        sizes.add(len(delivery["body"]["data"]))
        for event in delivery["body"]["data"]:
            copies[event["event_name"], event["event_id"]].append((event["event_time"], delivery["channel"]))
        assert ("partner_agent" in delivery["body"]) == (delivery["channel"] == "pixel")
    assert {name for name, _ in copies} == {"Lead", "CompleteRegistration", "StartTrial", "Purchase", "Subscribe"}
    assert sizes == {1, 2}
    channels = {frozenset(channel for _, channel in several) for several in copies.values()}
    assert channels == {frozenset({"pixel"}), frozenset({"server"}), frozenset({"pixel", "server"})}
    gaps = {max(at for at, _ in several) - min(at for at, _ in several) for several in copies.values()}
    assert min(gaps) == 0
    assert {gap > 48 * 3600 for gap in gaps if gap} == {True}


def test_meta_users_are_hashed_after_normalising(folder: Path) -> None:
    """E-mail, names, town, country and telephone as SHA-256; ids of cookies and users as they are."""
    people = dict(truth(folder, "select user_id, person from person where user_id is not null"))
    emails = dict(truth(folder, "select person, value from identifier where type = 'email'"))
    towns = {
        hashlib.sha256(town.encode()).hexdigest()
        for town in ("austin", "leeds", "leipzig", "saintétienne", "pune", "sãopaulo")
    }
    seen: set[str] = set()
    for delivery in deliveries(folder, "meta"):
        event = delivery["body"]["data"][0]
        user = event["user_data"]
        seen |= user.keys()
        if "em" in user:
            email = emails[people[user["external_id"][0]]]
            assert user["em"] == [hashlib.sha256(email.encode()).hexdigest()]
        assert set(user.get("ct", [])) <= towns
        assert datetime.fromisoformat(delivery["received_at"]).timestamp() >= event["event_time"]
    assert seen == {
        *("em", "external_id", "fn", "ln", "ct", "country", "ph"),
        *("client_ip_address", "client_user_agent", "fbp", "fbc"),
    }
