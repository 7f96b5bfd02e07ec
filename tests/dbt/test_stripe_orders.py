"""Lives of subscriptions in every order in which Stripe may tell of them: the build makes equal rows of each."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from models.landing import STRIPE
from tests.dbt.builds import hashes, opened, rows_of
from tests.dbt.definitions import stripe_workshop
from tests.dbt.stripes import (
    NOW,
    at,
    charge,
    customer,
    day,
    dispute,
    event,
    invoice,
    refund,
    snapshot,
    subscription,
)
from tests.dbt.test_stripe import events, subscriptions

#: How many shuffles of the longer life there are.
SHUFFLES = 1_000
BUILDS = 3
#: What is compared of each life, without what names it: tables, their keys of the subscription, and columns.
SHAPE = (
    *("plan_id", "plan_name", "price", "currency", "quantity", "billing_cycle", "billing_interval"),
    *("billing_interval_count", "start_date", "renewal_date", "cancelled_at", "status", "stripe_status", "mrr"),
    *("total_revenue", "refunded_at", "revenue_unknown_because"),
)
_NAME = "regexp_extract({}, '_([pl][0-9]+x)', 1)"
_STRIPPED = "regexp_replace({}, '[pl][0-9]+x', 'NAME', 'g')"
COMPARED = {
    "subscription": f"select {_NAME.format('stripe_subscription_id')}, {', '.join(SHAPE)}, person_key is not null"
    " from subscription",
    "event": f"select {_NAME.format('source_id')}, {_STRIPPED.format('event_id')}, occurred_at, received_at,"
    f" {_STRIPPED.format('properties')}, person_key is not null from event where source = 'stripe'",
    "item": f"select {_NAME.format('item_id')}, valid_from, valid_to, {_STRIPPED.format('told_by')}, status, quantity,"
    " amount, is_assumed from subscription_item_period",
    "movement": f"select {_NAME.format('item_id')}, policy, day, movement, mrr_movement.mrr from mrr_movement",
    "revenue": f"select {_NAME.format('source_id')}, {_STRIPPED.format('line_id')}, occurred_at, amount,"
    f" uncounted_because, {_STRIPPED.format('stripe_subscription_id')}, person_key is not null from revenue",
    "person": f"select {_NAME.format('id_value')}, property, {_STRIPPED.format('value')}, said.valid_from,"
    " said.valid_to from person_property as said inner join identity_link using (person_key)"
    " where id_type = 'stripe_id'",
}


def small_life(name: str) -> list[dict[str, Any]]:
    """Trial, conversion, payment, more seats, a failed payment, the end."""
    sub = f"sub_{name}"
    trial = {"trial_start": at(0), "trial_end": at(7)}
    seats = {"items": {"data": [{"id": f"si_{name}", "quantity": 1, "price": {"id": "price_pro"}}]}}
    failed = invoice(f"{name}_2", sub, 15, customer=f"cus_{name}", status="open", status_transitions={"paid_at": None})
    ended = {"status": "canceled", "ended_at": at(20), "canceled_at": at(20)}
    return [
        event("customer.subscription.created", 0, subscription(name, status="trialing", **trial)),
        event("customer.subscription.updated", 7, subscription(name, **trial), previous={"status": "trialing"}),
        event("invoice.paid", 7, invoice(name, sub, 7, customer=f"cus_{name}")),
        event("customer.subscription.updated", 10, subscription(name, quantity=3, **trial), previous=seats),
        event("invoice.payment_failed", 15, failed),
        event("customer.subscription.deleted", 20, subscription(name, quantity=3, **ended, **trial)),
    ]


def long_life(name: str) -> list[dict[str, Any]]:
    """A small one, then another subscription of the customer: paused, resumed, past due, paid, fetched."""
    second, sub, payer = f"{name}_b", f"sub_{name}_b", f"cus_{name}"

    def says(**changes: Any) -> dict[str, Any]:
        return subscription(second, customer=payer, start_date=at(30), created=at(30), **changes)

    unpaid = invoice(f"{second}_2", sub, 50, customer=payer, status="open", status_transitions={"paid_at": None})
    return [
        *small_life(name),
        event("customer.created", 0, customer(name, email=f"{name}@example.com")),
        event("customer.subscription.created", 30, says()),
        event("invoice.paid", 30, invoice(second, sub, 30, customer=payer)),
        event("customer.subscription.updated", 35, says(pause_collection={"behavior": "void"})),
        event("customer.subscription.updated", 40, says(), previous={"pause_collection": {"behavior": "void"}}),
        event("invoice.payment_failed", 50, unpaid),
        event("customer.subscription.updated", 50, says(status="past_due"), previous={"status": "active"}),
        event("invoice.paid", 53, invoice(f"{second}_2", sub, 53, customer=payer)),
        event("customer.subscription.updated", 53, says(), previous={"status": "past_due"}),
        snapshot(says(quantity=2, amount=1900), 60),
        *chain(lambda seats: says(quantity=seats, amount=1900), second),
        # Two charges of which nothing says what they paid: one given back in parts, one contested and lost.
        event("charge.succeeded", 30, charge(second, 30, customer=payer)),
        event("charge.refunded", 31, charge(second, 30, customer=payer, amount_refunded=500)),
        event("refund.created", 33, refund(second, 33, amount=900)),
        event("charge.refunded", 33, charge(second, 30, customer=payer, amount_refunded=1400)),
        event("charge.succeeded", 53, charge(f"{second}_2", 53, customer=payer)),
        event("charge.dispute.created", 54, dispute(f"{second}_2", 54)),
        event("charge.dispute.closed", 58, dispute(f"{second}_2", 54, status="lost")),
    ]


def chain(says: Callable[[int], dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Seats that go from 2 over 3 and 5 back to 2 and to 4 in one second, by events whose ids tell another order."""
    steps = (("d", 2, 3), ("c", 3, 5), ("b", 5, 2), ("a", 2, 4))
    return [
        event(
            "customer.subscription.updated",
            62,
            says(after),
            id=f"evt_chain_{letter}_{name}",
            previous={"items": {"data": says(before)["items"]["data"]}},
        )
        for letter, before, after in steps
    ]


def shuffled(name: str, chance: random.Random) -> list[dict[str, Any]]:
    """A longer life in any order, some of it told again."""
    told = long_life(name)
    told += chance.choices(told, k=chance.randrange(6))
    return chance.sample(told, k=len(told))


def backwards(place: int) -> list[dict[str, Any]]:
    """What arrives the earlier the later it was: each first fact is displaced by the next batch."""
    before = 50 - 10 * place
    paid = invoice(f"late_{place}", "sub_late", before, customer="cus_late")
    return [
        event("invoice.paid", before, paid),
        snapshot(subscription("late", quantity=before), before),
        snapshot(customer("late", email=f"late{place}@example.com", metadata={"user_id": "u-late"}), before),
        event("customer.updated", before, customer("late", email=f"other{place}@example.com")),
    ]


@pytest.fixture(scope="module")
def permuted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Every order of a small life and many of a longer one, in three builds, and the same from nothing."""
    shop, chance = stripe_workshop(tmp_path_factory.mktemp("permuted")), random.Random(7)
    orders = permutations(range(6))
    lives = [[small_life(f"p{number}x")[place] for place in order] for number, order in enumerate(orders)]
    lives += [shuffled(f"l{number}x", chance) for number in range(SHUFFLES)]
    for part in range(BUILDS):
        cut = [told[part * len(told) // BUILDS : (part + 1) * len(told) // BUILDS] for told in lives]
        shop.land([*(one for told in cut for one in told), *backwards(part)], STRIPE)
        file = shop.build(NOW)
    return file, shop.build(NOW, full=True)


@pytest.mark.slow
def test_every_order_of_a_life_gives_the_same_rows(permuted: tuple[Path, Path]) -> None:
    """Subscription, events, items, movements and the person's properties do not depend on what arrived first."""
    file, _ = permuted
    lives: dict[str, dict[str, Counter[Any]]] = {}
    with opened(file) as connection:
        for table, sql in COMPARED.items():
            for name, *row in connection.execute(sql).fetchall():
                lives.setdefault(name, {}).setdefault(table, Counter())[tuple(row)] += 1
    lives = {name: life for name, life in lives.items() if name}
    first, long = lives["p0x"], lives["l0x"]
    assert (len(lives), set(first), set(long)) == (720 + SHUFFLES, set(COMPARED), set(COMPARED))
    assert [name for name, life in lives.items() if life != (first if name.startswith("p") else long)] == []
    assert {row[SHAPE.index("quantity")] for row in long["subscription"]} == {3, 4}


@pytest.mark.slow
def test_a_life_is_what_was_told(permuted: tuple[Path, Path]) -> None:
    """Of one of those that are all equal."""
    with opened(permuted[0]) as connection:
        [subscription_row] = connection.execute(
            f"select {', '.join(SHAPE)} from subscription where stripe_subscription_id = 'sub_p0x'"
        ).fetchall()
        happened = connection.execute(
            f"select {_STRIPPED.format('event_id')}, occurred_at from event"
            " where source = 'stripe' and source_id in ('sub_p0x', 'in_p0x', 'in_p0x_2') order by occurred_at, event_id"
        ).fetchall()
        statuses = connection.execute(
            "select value, property.valid_from"
            " from person_property as property inner join identity_link using (person_key)"
            " where id_value = 'cus_l0x' and property = 'billing_status' order by 2"
        ).fetchall()
    assert dict(zip(SHAPE, subscription_row, strict=True)) == {
        "plan_id": "price_pro",
        "plan_name": "Pro",
        "price": 29,
        "currency": "usd",
        "quantity": 3,
        "billing_cycle": "monthly",
        "billing_interval": "month",
        "billing_interval_count": 1,
        "start_date": day(0),
        "renewal_date": None,
        "cancelled_at": day(20),
        "status": "cancelled",
        "stripe_status": "canceled",
        "mrr": 0,
        "total_revenue": 29,
        "refunded_at": None,
        "revenue_unknown_because": None,
    }
    assert happened == [
        ("sub_NAME:subscription_started", day(0)),
        ("sub_NAME:trial_started", day(0)),
        ("in_NAME:payment_succeeded", day(7)),
        ("sub_NAME:purchase_completed", day(7)),
        ("sub_NAME:subscription_updated:evt_customer.subscription.updated_10_sub_NAME", day(10)),
        ("in_NAME_2:payment_failed:1", day(15)),
        ("sub_NAME:subscription_cancelled", day(20)),
    ]
    assert statuses == [
        *(("trial", day(0)), ("paid", day(7)), ("past_due", day(15)), ("churned", day(20))),
        *(("paid", day(30)), ("past_due", day(50)), ("paid", day(53))),
    ]


@pytest.mark.slow
def test_increments_equal_a_build_from_nothing(permuted: tuple[Path, Path]) -> None:
    """Every table, and nothing counts as a conflict."""
    file, full = permuted
    assert hashes(file) == hashes(full)
    assert rows_of(file, "event_conflict", ["event_id"]) == []
    assert events(file, "event_id = 'sub_late:purchase_completed'", "occurred_at") == [day(50 - 10 * (BUILDS - 1))]
    assert events(file, "event_id = 'sub_late:subscription_started'", "json_extract(properties, '$.quantity')") == [
        str(50 - 10 * (BUILDS - 1))
    ]
    assert subscriptions(file, "quantity")["late"] == 50
