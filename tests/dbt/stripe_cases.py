"""What Stripe tells in the build of the cases: each subscription, customer and payment is a case of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests.dbt.stripes import (
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

#: W15: an event that tells of nothing.
NO_OBJECT = {"object": "event", "type": "customer.subscription.updated", "created": at(1), "livemode": True}


def subscription_cases() -> Iterable[dict[str, Any]]:
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


def money_cases() -> Iterable[dict[str, Any]]:
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
