"""What Stripe tells: one state of each subscription and one event of each fact, in whatever order it is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models.landing import STRIPE
from tests.dbt.builds import Workshop, delivery, opened, rows_of
from tests.dbt.generations import GENERATIONS, generations
from tests.dbt.stripes import (
    BEGIN,
    NOW,
    at,
    customer,
    event,
    invoice,
    invoice_of_2017,
    snapshot,
    subscription,
    subscription_of_2017,
    told,
)
from tests.dbt.test_tables import CATALOG, busy_sql
from warehouse.home import Home

SHAPE = (
    *("plan_id", "plan_name", "price", "currency", "quantity", "billing_cycle", "billing_interval"),
    *("billing_interval_count", "start_date", "renewal_date", "cancelled_at", "status", "stripe_status"),
)


def workshop(folder: Path) -> Workshop:
    return Workshop(Home(folder).ensure(), CATALOG, {"busy": busy_sql(1)})


def day(number: float) -> datetime:
    return BEGIN + timedelta(days=number)


#: W15: an event that tells of nothing.
NO_OBJECT = {"object": "event", "type": "customer.subscription.updated", "created": at(1), "livemode": True}


def scenario() -> Iterable[dict[str, Any]]:
    """Subscriptions of one build, each a case of its own."""
    yield event("customer.subscription.updated", 1, subscription("new"))
    yield event("customer.subscription.updated", 1, subscription_of_2017("old"))
    # A late update does not revive what was deleted, nor does a snapshot of before.
    yield event("customer.subscription.deleted", 5, subscription("dead", status="canceled", ended_at=at(5)))
    yield event("customer.subscription.updated", 6, subscription("dead", quantity=9))
    yield snapshot(subscription("dead"), 7)
    # In one second: created, updated, and the snapshot last.
    yield event("customer.subscription.updated", 2, subscription("tie", quantity=2))
    yield event("customer.subscription.created", 2, subscription("tie", quantity=1))
    yield event("customer.subscription.updated", 2, subscription("snap", quantity=2))
    yield snapshot(subscription("snap", quantity=5), 2)
    for number in range(8):  # of two snapshots in one second the later one, whatever the hashes of their bodies
        for quantity, second in ((1, 0.2), (2, 0.6)):
            yield snapshot(subscription(f"twice_{number}", quantity=quantity), 2 + second / 86_400)
    # Told at one time to go on and to be over, it is over: nothing comes back, whatever ids and hashes say.
    for number in range(8):
        for ended in ({}, {"status": "canceled", "ended_at": at(2)}):
            told_at_once = subscription(f"over_{number}", quantity=number + 1, **ended)
            yield snapshot(told_at_once, 2)
            event_id = f"evt_{number if ended else 9 - number}"
            name = f"over_event_{number}"
            says = subscription(name, **ended)
            yield event("customer.subscription.updated", 2, says, id=f"{event_id}_{name}")
    yield from _chains()
    # Equal ids of another mode and of other accounts.
    for quantity, changes in enumerate(
        ({}, {"livemode": False}, {"account": "acct_1"}, {"account": "acct_2"}), start=1
    ):
        yield event("customer.subscription.created", 3, subscription("same", quantity=quantity), **changes)
        paid = invoice("same", "sub_same", 3, customer="cus_same", amount_paid=quantity)
        yield event("invoice.paid", 3, paid, **changes)
    for status in ("trialing", "past_due", "unpaid", "incomplete", "incomplete_expired", "paused", "brand_new"):
        yield snapshot(subscription(f"is_{status}", status=status), 4)
    for reason in (None, "cancellation_requested", "payment_failed", "canceled_by_retention_policy"):
        details = {"reason": reason, "feedback": reason and "unused", "comment": None}
        ended = {"status": "canceled", "ended_at": at(5), "cancellation_details": details}
        yield event("customer.subscription.deleted", 5, subscription(f"why_{reason}", **ended))
    yield event("customer.subscription.updated", 2, subscription("leaving", cancel_at_period_end=True))
    yield event("customer.subscription.updated", 2, subscription("leaving_at", cancel_at=at(20)))
    for number in (1, 2):
        trial = subscription("trying", status="trialing", trial_start=at(0), trial_end=at(7))
        yield event("customer.subscription.trial_will_end", 4, trial, id=f"evt_will_{number}")
    pause = {"behavior": "void", "resumes_at": at(40)}
    yield event("customer.subscription.created", 1, subscription("pause"))
    yield event(
        "customer.subscription.updated",
        2,
        subscription("pause", pause_collection=pause),
        previous={"pause_collection": None},
    )
    yield event("customer.subscription.updated", 3, subscription("pause"), previous={"pause_collection": pause})
    yield event(
        "customer.subscription.updated",
        4,
        subscription("pause", pause_collection=pause),
        previous={"pause_collection": None},
    )
    yield event("customer.subscription.paused", 5, subscription("endive", status="paused"))
    yield event(
        "customer.subscription.updated", 5, subscription("endive", status="paused"), previous={"status": "active"}
    )
    yield event("customer.subscription.resumed", 6, subscription("endive"))
    # A renewal moves the period of the item and is no change of plan; a switch of plan is one.
    period = {"items": {"data": [{"id": "si_renew", "quantity": 1, "price": {"id": "price_pro"}}]}}
    yield event("customer.subscription.updated", 31, subscription("renew"), previous=period)
    yield event("customer.subscription.updated", 32, subscription("switch", plan_id="b"), previous=period)
    yield event(
        "customer.subscription.updated", 32, subscription_of_2017("seats", quantity=2), previous={"quantity": 1}
    )
    yield snapshot(subscription("year", interval="year", amount=29_000), 4)
    yield snapshot(subscription("quarter", count=3), 4)
    yield snapshot(subscription("yen", currency="jpy", amount=2900), 4)
    yield snapshot(subscription("dinar", currency="kwd", amount=2900), 4)
    yield snapshot(subscription("tiers", amount=None), 4)
    yield snapshot({"id": "sub_bare", "object": "subscription", "customer": None}, 4)
    deleted = {"id": "cus_orphan", "object": "customer", "deleted": True}
    yield snapshot(subscription("orphan", customer=deleted), 4)
    for number, data in enumerate(({}, {"object": None}, None, [], {"object": {"object": "subscription"}})):
        yield told({"id": f"evt_no_object_{number}", "data": data} | NO_OBJECT)


def money() -> Iterable[dict[str, Any]]:
    """Payments of one build."""
    # One payment that four deliveries tell; the later renewal is no purchase.
    yield event("invoice.payment_succeeded", 3, invoice("2", "sub_pay", 3, customer="cus_pay"))
    yield event("invoice.paid", 3, invoice("2", "sub_pay", 3, customer="cus_pay"))
    yield event("invoice.updated", 9, invoice("2", "sub_pay", 3, customer="cus_pay"))
    yield snapshot(invoice("2", "sub_pay", 3, customer={"id": "cus_pay", "object": "customer"}), 9)
    yield event("invoice.paid", 2, invoice("1", "sub_pay", 2, customer="cus_pay", amount_paid=0))
    yield event("invoice.paid", 33, invoice("3", "sub_pay", 33, customer="cus_pay"))
    yield event("invoice.payment_succeeded", 3, invoice_of_2017("o2", "sub_opay", 3, customer="cus_opay"))
    failed = {"status": "open", "amount_paid": 0, "status_transitions": {"paid_at": None}, "customer": "cus_pay"}
    yield event("invoice.payment_failed", 63, invoice("4", "sub_pay", 63, attempt_count=1, **failed))
    yield event("invoice.payment_failed", 63, invoice("4", "sub_pay", 63, attempt_count=1, **failed), id="evt_again")
    yield event("invoice.payment_failed", 65, invoice("4", "sub_pay", 63, attempt_count=2, **failed))
    for number in (1, 2):
        voided = invoice("v", "sub_pay", 70, **failed | {"status": "void"})
        yield event("invoice.voided", 71, voided, id=f"evt_void_{number}")
    yield event("invoice.marked_uncollectible", 72, invoice("u", "sub_pay", 70, **failed | {"status": "uncollectible"}))
    # Renewals that arrive before the purchase.
    for number in range(60, 0, -5):
        yield event("invoice.paid", number, invoice(f"m{number}", "sub_many", number, customer="cus_many"))
    # A payment fails behind the last telling of the subscription, and is made up for, or not.
    for name in ("due", "later_paid", "later_told", "told_at_once"):
        yield event("customer.subscription.created", 1, subscription(name))
        open_invoice = failed | {"customer": f"cus_{name}"}
        yield event("invoice.payment_failed", 5, invoice(f"f_{name}", f"sub_{name}", 5, **open_invoice))
    paid = invoice("f_later_paid", "sub_later_paid", 6, customer="cus_later_paid")
    yield event("invoice.paid", 6, paid)
    yield event("customer.subscription.updated", 6, subscription("later_told"))
    yield event("customer.subscription.updated", 5, subscription("told_at_once"))
    refund = {"id": "re_1", "object": "refund", "amount": 500, "created": at(8), "currency": "usd", "charge": "ch_1"}
    yield event("refund.created", 8, refund | {"reason": "requested_by_customer"})
    charge = {"id": "ch_1", "object": "charge", "customer": "cus_pay", "currency": "usd", "amount_refunded": 500}
    listed = {"id": "re_1", "amount": 500, "created": at(8), "reason": "requested_by_customer"}
    yield event("charge.refunded", 8, charge | {"refunds": {"data": [listed]}})
    dispute = {"id": "dp_1", "object": "dispute", "amount": 2900, "created": at(9), "currency": "usd", "charge": charge}
    yield event("charge.dispute.created", 9, dispute)
    yield event("charge.dispute.closed", 12, dispute | {"status": "lost"})
    session = {"id": "cs_1", "object": "checkout.session", "customer": "cus_pay", "client_reference_id": " ada "}
    yield event("checkout.session.completed", 1, session | {"subscription": "sub_pay", "mode": "subscription"})
    lives_in = {"address": {"country": "DE", "city": "Leipzig"}}
    yield event("customer.created", 0, customer("m", email="Old@Example.com ", name="Ada", **lives_in))
    yield event(
        "customer.updated", 5, customer("m", email="new@example.com", name="Ada L", metadata={"user_id": "u-ada"})
    )
    yield snapshot(customer("m", email="new@example.com", name="Ada L"), 9)
    yield event("customer.deleted", 10, customer("m", email=None))
    yield snapshot({"id": "cus_gone", "object": "customer", "deleted": True}, 10)
    yield event("invoice.upcoming", 1, {"object": "invoice", "id": None, "customer": "cus_pay"})
    yield event("brand.new", 1, {"object": "brand_new", "id": "x_1"})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One build of all cases, with an event of the application's own."""
    shop = workshop(tmp_path_factory.mktemp("cases"))
    shop.land([*scenario(), *money(), *generations()], STRIPE)
    shop.land(
        [
            delivery(event_id="e1", event_type="video_rendered", occurred_at=day(0), user_id="u-ada"),
            delivery(event_id="e2", event_type="video_rendered", occurred_at=day(0), user_id="ada"),
        ]
    )
    return shop.build(NOW)


def subscriptions(file: Path, *columns: str) -> dict[str, Any]:
    """Columns of the own live subscriptions by the name of their case; one value where one column is asked for."""
    with opened(file) as connection:
        rows = connection.execute(
            f"select stripe_subscription_id, {', '.join(columns)} from subscription where livemode and account = ''"
        ).fetchall()
    return {row[0].removeprefix("sub_"): row[1] if len(columns) == 1 else row[1:] for row in rows}


def events(file: Path, condition: str, *columns: str) -> list[Any]:
    """Columns of events in the order of time; single values where one column is asked for."""
    with opened(file) as connection:
        rows = connection.execute(
            f"select {', '.join(columns)} from event where {condition} order by occurred_at, event_id"
        ).fetchall()
    return [row[0] for row in rows] if len(columns) == 1 else rows


def _chains() -> Iterator[dict[str, Any]]:
    """Updates of one second: three in a row, a row of which the middle is lost, and one that pauses and goes on."""

    def update(name: str, place: str, says: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
        event_id = f"evt_{place}_{name}"
        return event("customer.subscription.updated", 6, says, id=event_id, previous=previous)

    def seats(name: str, place: str, before: int, after: int) -> dict[str, Any]:
        items = {"data": subscription(name, quantity=before)["items"]["data"]}
        return update(name, place, subscription(name, quantity=after), {"items": items})

    def seats_of_2017(name: str, place: str, before: int, after: int) -> dict[str, Any]:
        was = subscription_of_2017(name, quantity=before)
        previous = {"quantity": before, "items": {"data": was["items"]["data"]}}
        return update(name, place, subscription_of_2017(name, quantity=after), previous)

    for name in ("chain", "chain_broken", "chain_fro", "chain_pause"):
        yield event("customer.subscription.created", 2, subscription(name))
    yield from (seats("chain", "c", 1, 2), seats("chain", "b", 2, 3), seats("chain", "a", 3, 7))
    yield from (seats_of_2017("chain_2017", "b", 1, 2), seats_of_2017("chain_2017", "a", 2, 7))
    yield from (seats("chain_broken", "b", 2, 3), seats("chain_broken", "a", 4, 5))
    yield from (seats("chain_fro", "b", 1, 2), seats("chain_fro", "a", 2, 1))
    pause = {"behavior": "void", "resumes_at": None}
    yield update("chain_pause", "b", subscription("chain_pause", pause_collection=pause), {"pause_collection": None})
    yield update("chain_pause", "a", subscription("chain_pause", pause_collection=None), {"pause_collection": pause})


def test_the_oldest_and_the_newest_shape_give_equal_rows(built: Path) -> None:
    """Whatever moved in the payloads since 2017."""
    found = subscriptions(built, *SHAPE, "is_start_assumed")
    assert found["old"] == found["new"]
    assert found["new"][:7] == ("price_pro", "Pro", 29, "usd", 1, "monthly", "month")
    assert found["new"][SHAPE.index("renewal_date")] == day(31)


_OF_GENERATIONS = (
    f"select stripe_subscription_id, {', '.join(SHAPE)} from subscription",
    (
        "select stripe_subscription_id, valid_from, valid_to, item_id, status, plan_id, currency, quantity, amount,"
        " share_left_forever from subscription_item_period"
    ),
    (
        "select stripe_subscription_id, day, policy, movement, movement.mrr from mrr_movement as movement"
        " inner join subscription using (subscription_id)"
    ),
    "select stripe_subscription_id, started_at, end_at, ended_at, outcome, converted_at from subscription_trial",
    (
        "select stripe_subscription_id, line_id, kind, is_revenue, occurred_at, stripe_customer_id, invoice_id,"
        " charge_id, plan_id, plan_name, product_id, amount, reporting_amount, uncounted_because from revenue"
        " where kind not in ('payment', 'tax')"
    ),
    (  # what paid an invoice stands on it only until 2025
        "select stripe_subscription_id, line_id, kind, is_revenue, occurred_at, stripe_customer_id, invoice_id,"
        " plan_id, plan_name, product_id, amount, reporting_amount, uncounted_because from revenue"
    ),
    "select stripe_subscription_id, total_revenue, reporting_revenue, revenue_unknown_because from subscription",
    (
        "select 'sub_' || regexp_extract(source_id, 'of_20..'), event_type, occurred_at, event_id from event"
        " where event_type <> 'subscription_updated'"
    ),
)


def test_every_generation_of_the_api_tells_the_same_life(built: Path) -> None:
    """Subscription, items, movements, trial and events are equal, but for the names."""
    with opened(built) as connection:
        for sql in _OF_GENERATIONS:
            lives: dict[str, list[str]] = {}
            for name, *row in connection.execute(f"{sql} order by all").fetchall():
                generation = (name or "").removeprefix("sub_")
                if generation in GENERATIONS:
                    lives.setdefault(generation, []).append(str(row).replace(generation, "NAME"))
            assert set(lives) == set(GENERATIONS), sql
            assert all(life == lives["of_2025"] for life in lives.values()), lives
    moved = "select day, mrr_movement.mrr from mrr_movement inner join subscription using (subscription_id)"
    with opened(built) as connection:
        rows = connection.execute(
            f"{moved} where policy = 'gdp' and stripe_subscription_id = 'sub_of_2017' order by 1"
        ).fetchall()
    assert rows == [(day(7).date(), 29), (day(10).date(), Decimal("14.5")), (day(20).date(), Decimal("-43.5"))]


def test_updates_of_one_second_follow_one_another(built: Path) -> None:
    """By what each says was before, from what held before the second; pieces of a broken row by the ids of events."""
    quantities = subscriptions(built, "quantity")
    names = ("chain", "chain_2017", "chain_broken", "chain_fro")
    assert {name: quantities[name] for name in names} == dict(zip(names, (7, 7, 3, 1), strict=True))
    assert subscriptions(built, "status")["chain_pause"] == "active"


def test_what_was_deleted_stays_deleted(built: Path) -> None:
    """A late update does not revive it."""
    assert subscriptions(built, "status", "cancelled_at", "quantity")["dead"] == ("cancelled", day(5), 1)
    assert events(built, "event_id = 'sub_dead:subscription_cancelled'", "occurred_at") == [day(5)]


def test_order_within_a_second(built: Path) -> None:
    """Created, updated, and what the API answered last."""
    found = subscriptions(built, "quantity", "is_start_assumed")
    assert (found["tie"], found["snap"]) == ((2, False), (5, True))
    assert [found[f"twice_{number}"] for number in range(8)] == [(2, True)] * 8
    over = subscriptions(built, "status", "cancelled_at")
    assert {row for name, row in over.items() if name.startswith("over_")} == {("cancelled", day(2))}


def test_modes_and_accounts_stay_apart(built: Path) -> None:
    """W13: equal ids of test mode or of other accounts are other subscriptions, and other events."""
    with opened(built) as connection:
        rows = connection.execute(
            "select account, livemode, quantity from subscription where stripe_subscription_id = 'sub_same' order by 3"
        ).fetchall()
    assert rows == [("", True, 1), ("", False, 2), ("acct_1", True, 3), ("acct_2", True, 4)]
    found = events(built, "event_type = 'purchase_completed' and source_id = 'sub_same'", "event_id", "properties")
    assert {event_id: json.loads(properties)["amount_minor"] for event_id, properties in found} == {
        "sub_same:purchase_completed": 1,
        "test/sub_same:purchase_completed": 2,
        "acct_1/sub_same:purchase_completed": 3,
        "acct_2/sub_same:purchase_completed": 4,
    }
    assert json.loads(events(built, "event_id = 'acct_1/sub_same:purchase_completed'", "metadata")[0]) == {
        "livemode": True,
        "account": "acct_1",
    }


def test_statuses_roll_up(built: Path) -> None:
    """W16: Stripe's own stands beside; one that is not known is null and no guess."""
    found = subscriptions(built, "status")
    assert {name.removeprefix("is_"): status for name, status in found.items() if name.startswith("is_")} == {
        "trialing": "active",
        "past_due": "past_due",
        "unpaid": "past_due",
        "incomplete": None,
        "incomplete_expired": "cancelled",
        "paused": "paused",
        "brand_new": None,
    }
    assert (found["pause"], found["endive"], found["bare"]) == ("paused", "active", None)
    assert events(built, "source_id in ('sub_is_incomplete', 'sub_is_incomplete_expired')", "event_type") == []


def test_what_is_missing_is_null_and_no_guess(built: Path) -> None:
    """W15: without a customer, of one who was deleted, without items; what tells of nothing makes no row."""
    found = subscriptions(built, "stripe_customer_id", "quantity", "mrr", "mrr_unknown_because")
    assert found["bare"] == (None, None, None, "unknown status")
    assert found["orphan"] == ("cus_orphan", 1, Decimal(29), None)
    assert None not in found
    with opened(built) as connection:
        ((rows,),) = connection.execute(
            "select count(*) from subscription where stripe_subscription_id is null"
        ).fetchall()
    assert rows == 0


def test_ends_say_why_and_when(built: Path) -> None:
    """By the reason that was told; one that is asked for lies ahead."""
    found = subscriptions(built, "churn_kind", "cancellation_feedback", "cancels_at")
    assert {name.removeprefix("why_"): of_one for name, of_one in found.items() if name.startswith("why_")} == {
        "None": ("unknown", None, None),
        "cancellation_requested": ("voluntary", "unused", None),
        "payment_failed": ("involuntary", "unused", None),
        "canceled_by_retention_policy": ("retention_policy", "unused", None),
    }
    assert found["is_incomplete_expired"] == ("involuntary", None, None)
    assert (found["leaving"], found["leaving_at"]) == ((None, None, day(31)), (None, None, day(20)))
    assert (found["new"], found["bare"]) == ((None, None, None), (None, None, None))


def test_a_trial_that_will_end_is_told_once(built: Path) -> None:
    """However often Stripe says so of one end."""
    assert events(built, "source_id = 'sub_trying' and event_type like 'trial%'", "event_type", "occurred_at") == [
        ("trial_started", day(0)),
        ("trial_will_end", day(4)),
    ]


def test_a_failed_payment_makes_past_due(built: Path) -> None:
    """Until a later payment, or until Stripe says what the subscription is."""
    found = subscriptions(built, "status", "stripe_status", "updated_at")
    assert [found[name] for name in ("due", "later_paid", "later_told", "told_at_once")] == [
        ("past_due", "active", day(5)),
        ("active", "active", day(1)),
        ("active", "active", day(6)),
        ("active", "active", day(5)),
    ]


def test_prices_and_periods(built: Path) -> None:
    """In major units of their currency; tiers have no one price."""
    found = subscriptions(built, "price", "billing_cycle")
    assert [found[name] for name in ("year", "quarter", "yen", "tiers", "bare")] == [
        (290, "annual"),
        (29, "monthly"),
        (2900, "monthly"),
        (None, "monthly"),
        (None, None),
    ]
    assert str(found["dinar"][0]) == "2.900000000000000"


def test_pauses_in_both_meanings(built: Path) -> None:
    """Of the collection, and of the subscription, which two events tell."""
    assert events(built, "source_id = 'sub_pause' and event_type <> 'subscription_started'", "event_type") == [
        "subscription_paused",
        "subscription_resumed",
        "subscription_paused",
    ]
    assert events(built, "source_id = 'sub_endive' and event_type <> 'subscription_started'", "event_type") == [
        "subscription_paused",
        "subscription_resumed",
    ]


def test_only_plan_and_quantity_make_an_update(built: Path) -> None:
    """A renewal is none."""
    found = events(built, "event_type = 'subscription_updated' and source_id not like '%chain%'", "source_id")
    assert sorted(found) == ["sub_seats", "sub_switch"]


def test_a_payment_is_one_event_whoever_tells_it(built: Path) -> None:
    """Its facts are the same in all tellings; the first above 0 is the purchase."""
    ids = "'in_1', 'in_2', 'in_3', 'in_o2'"
    assert events(built, f"event_type = 'payment_succeeded' and source_id in ({ids})", "event_id") == [
        *("in_1:payment_succeeded", "in_2:payment_succeeded", "in_o2:payment_succeeded", "in_3:payment_succeeded"),
    ]
    (properties,) = events(built, "event_id = 'in_2:payment_succeeded'", "properties")
    assert json.loads(properties) == {
        "invoice_id": "in_2",
        "subscription_id": "sub_pay",
        "currency": "usd",
        "billing_reason": "subscription_cycle",
        "amount_minor": 2900,
    }
    assert events(
        built, "event_type = 'purchase_completed' and source_id in ('sub_pay', 'sub_opay')", "event_id", "occurred_at"
    ) == [
        ("sub_opay:purchase_completed", day(3)),
        ("sub_pay:purchase_completed", day(3)),
    ]
    assert events(built, "event_id = 'sub_many:purchase_completed'", "occurred_at", "properties like '%in_m5%'") == [
        (day(5), True)
    ]
    assert rows_of(built, "event_conflict", ["event_id"]) == []


def test_failures_refunds_disputes_checkouts(built: Path) -> None:
    """Each attempt, each refund and each dispute once, with the customer where any telling knows it."""
    kinds = "'payment_failed', 'refund_created', 'dispute_created', 'checkout_completed'"
    told_above = (
        f"event_type in ({kinds}) and source_id not like 'in\\_f\\_%' escape '\\' and source_id not like '%of_20%'"
    )
    assert events(built, told_above, "event_id", "occurred_at", "person_key is not null") == [
        ("cs_1:checkout_completed", day(1), True),
        ("re_1:refund_created", day(8), True),
        ("dp_1:dispute_created", day(9), True),
        ("in_4:payment_failed:1", day(63), True),
        ("in_4:payment_failed:2", day(65), True),
    ]
    assert not any(events(built, "source = 'stripe'", "is_action"))


def test_invoices_that_are_given_up_are_told(built: Path) -> None:
    """Each once, with the customer."""
    condition = "event_type in ('invoice_voided', 'invoice_uncollectible')"
    assert events(built, condition, "event_type", "source_id", "occurred_at", "person_key is not null") == [
        ("invoice_voided", "in_v", day(71), True),
        ("invoice_uncollectible", "in_u", day(72), True),
    ]


def test_customers_are_persons(built: Path) -> None:
    """By e-mail, by the user in the metadata, and by the reference of a checkout."""
    with opened(built) as connection:
        known = dict(
            connection.execute(
                "select identifier.id_type || ' ' || coalesce(identifier.email, identifier.id_value), owner.person_key"
                " from intermediate.int_identity__identifier as identifier"
                " inner join intermediate.int_identity__owner as owner using (identifier_key)"
            ).fetchall()
        )
        assert known["stripe_id cus_m"] == known["user_id u-ada"]
        assert known["stripe_id cus_m"] == known["email old@example.com"] == known["email new@example.com"]
        assert known["stripe_id cus_pay"] == known["user_id ada"] != known["user_id u-ada"]
        names = connection.execute(
            "select name, email, metadata from person where person_key = $key", {"key": known["user_id u-ada"]}
        ).fetchall()
    assert names == [("Ada L", "new@example.com", '{"country":"DE"}')]
    assert events(built, "source_id = 'cus_m'", "event_type", "occurred_at") == [
        ("customer_created", day(0)),
        ("customer_updated", day(5)),
        ("customer_updated", day(9)),
    ]


def test_as_of_cuts_what_was_told_later(built: Path, tmp_path: Path) -> None:
    """A reader of an earlier day sees the subscriptions as they were told by then."""
    earlier = tmp_path / "earlier.duckdb"
    shutil.copyfile(built, earlier)
    earlier.chmod(0o600)
    with duckdb.connect(str(earlier)) as connection:
        connection.execute("update build_info set as_of = $as_of", {"as_of": day(4.5)})
    found = subscriptions(earlier, "status", "quantity")
    assert (found["pause"], "dead" in found, "endive" in found) == (("paused", 1), False, False)
    with duckdb.connect(str(earlier)) as connection:
        connection.execute("update build_info set as_of = $as_of", {"as_of": day(3.5)})
    found = subscriptions(earlier, "status", "quantity")
    assert (found["pause"], found["tie"], "year" in found) == (("active", 1), ("active", 2), False)
    with duckdb.connect(str(earlier)) as connection:
        connection.execute("update build_info set as_of = $as_of", {"as_of": day(5.5)})
    found = subscriptions(earlier, "status")
    assert (found["later_paid"], found["later_told"]) == ("past_due", "past_due")
