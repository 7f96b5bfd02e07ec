"""What was missed of Stripe is found by comparing landing with the API, and lands as the API tells it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from ingest.options import LandOptions
from ingest.stripeapi import Access, StripeApi
from ingest.stripefacts import differing
from ingest.stripereconcile import Reconciliation, reconcile
from tests.ingest.fakestripe import KEY, FakeStripe, failure, once
from tests.ingest.landings import NOW
from tests.ingest.stripes import land_stripe, landed_stripe, stripe_event
from warehouse.forget import landings
from warehouse.home import Home

AT = int(NOW.timestamp()) - 86_400


def customer(**changes: Any) -> dict[str, Any]:
    """A customer, as the API of today tells it."""
    return {
        "id": "cus_1",
        "object": "customer",
        "livemode": False,
        "email": "ada@example.org",
        "metadata": {},
        **changes,
    }


def invoice(**changes: Any) -> dict[str, Any]:
    """A paid invoice, as the API of today tells it."""
    return {"id": "in_1", "object": "invoice", "livemode": False, "status": "paid", "amount_paid": 900, **changes}


def subscription(**changes: Any) -> dict[str, Any]:
    """A subscription, as the API of today tells it."""
    item = {"id": "si_1", "price": {"id": "price_1"}, "quantity": 1, "current_period_end": AT + 10}
    fields = {
        "id": "sub_1",
        "object": "subscription",
        "created": AT,
        "livemode": False,
        "status": "active",
        "customer": "cus_1",
        "latest_invoice": "in_1",
        "canceled_at": None,
        "ended_at": None,
        "pause_collection": None,
        "discounts": [],
        "items": {"object": "list", "data": [item], "has_more": False},
    }
    return {**fields, **changes}


def told(kind: str, value: dict[str, Any], *, at: int = AT, number: int = 1) -> dict[str, Any]:
    """A webhook event that tells an object."""
    return stripe_event(id=f"evt_{number}", type=kind, created=at, livemode=False, data={"object": value})


def compare(home: Home, stripe: FakeStripe, *, dry_run: bool = False, account: str = "") -> Reconciliation:
    """Reconcile with the fake, a minute after whatever landed."""
    home.ensure()
    now = NOW + timedelta(minutes=len(landings(home.control)))
    api = StripeApi(Access(SecretStr(KEY), stripe.url, account), clock=lambda: now, sleep=lambda _seconds: None)
    return reconcile(home, api, LandOptions(threads=1), dry_run=dry_run)


def counts(found: Reconciliation) -> dict[str, tuple[int, int, int, int]]:
    """equal, missing, stale, landed of every kind that was listed."""
    for kind in found.kinds:
        assert found.is_dry_run or kind.missing + kind.stale == kind.landed + kind.duplicate + kind.quarantined
    return {kind.kind: (kind.equal, kind.missing, kind.stale, kind.landed) for kind in found.kinds if kind.listed}


def expanded(**changes: Any) -> dict[str, Any]:
    """A subscription that brings its customer and its latest invoice along."""
    return subscription(**{"customer": customer(), "latest_invoice": invoice(), **changes})


def test_what_never_came_lands_and_is_equal_then(home: Home, stripe: FakeStripe) -> None:
    """The second reconciliation finds nothing; a customer of two subscriptions lands once, each object by itself."""
    stripe.add("/v1/subscriptions", expanded(), expanded(id="sub_2", latest_invoice=None))
    stripe.add("/v1/events", told("customer.created", customer()))
    assert counts(compare(home, stripe)) == {
        "subscriptions": (0, 2, 0, 2),
        "customers": (0, 1, 0, 1),
        "invoices": (0, 1, 0, 1),
        "events": (0, 1, 0, 1),
    }
    bodies = {name: json.loads(body) for name, body in landed_stripe(home, "delivery_id", "body")}
    assert bodies["subscription:sub_1"] == subscription()
    assert bodies["customer:cus_1"] == customer()
    assert bodies["invoice:in_1"] == invoice()
    assert {landing.name for landing in landings(home.control)} == {
        f"Stripe's API, reconciled: {kind}" for kind in ("subscriptions", "customers", "invoices", "events")
    }
    assert counts(compare(home, stripe)) == {
        "subscriptions": (2, 0, 0, 0),
        "customers": (1, 0, 0, 0),
        "invoices": (1, 0, 0, 0),
        "events": (1, 0, 0, 0),
    }
    assert stripe.asked("/v1/subscriptions", "status", "expand[1]")[0] == ("all", "data.customer")
    assert stripe.asked("/v1/events", "created[gte]")[0] == (str(int((NOW - timedelta(days=30)).timestamp())),)


def test_a_cancellation_whose_event_was_missed_is_found(home: Home, stripe: FakeStripe) -> None:
    """The subscription that landing holds for active lands as it is now, with the time of the question."""
    land_stripe(home, told("customer.subscription.created", subscription()))
    stripe.add("/v1/subscriptions", subscription(status="canceled", canceled_at=AT + 5, ended_at=AT + 5))
    found = compare(home, stripe)
    assert counts(found) == {"subscriptions": (0, 0, 1, 1)}
    assert found.kinds[0].differs == {"status": 1, "canceled_at": 1, "ended_at": 1}
    asked = NOW + timedelta(minutes=1)
    assert landed_stripe(home, "kind", "account", "livemode", "fetched_at")[-1] == ("object", "", False, asked)


def test_nothing_lands_on_a_dry_run(home: Home, stripe: FakeStripe) -> None:
    """It counts the same."""
    stripe.add("/v1/subscriptions", subscription())
    stripe.add("/v1/events", told("customer.created", customer()))
    assert counts(compare(home, stripe, dry_run=True)) == {"subscriptions": (0, 1, 0, 0), "events": (0, 1, 0, 0)}
    assert landed_stripe(home, "delivery_id") == []
    assert list(home.staging.iterdir()) == []


@pytest.mark.parametrize("arrival", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_last_telling_counts_whatever_came_first(
    home: Home, stripe: FakeStripe, arrival: tuple[int, int, int]
) -> None:
    """Within a second, created before updated; not the order of arrival."""
    events = [
        told("customer.subscription.created", subscription(status="incomplete"), number=9),
        told("customer.subscription.updated", subscription(status="trialing"), number=1),
        told("customer.subscription.updated", subscription(), at=AT + 1, number=0),
    ]
    for number in arrival:
        land_stripe(home, events[number], name=f"{number}.jsonl")
    stripe.add("/v1/subscriptions", subscription())
    assert counts(compare(home, stripe)) == {"subscriptions": (1, 0, 0, 0)}


@pytest.mark.parametrize("statuses", [("active", "past_due"), ("past_due", "active")])
def test_of_two_answers_in_one_second_the_later_counts(
    home: Home, stripe: FakeStripe, statuses: tuple[str, str]
) -> None:
    """Whatever the hashes of their bodies are."""
    for number, status in enumerate(statuses):
        fetched_at = NOW + timedelta(seconds=0.2 + number / 2)
        land_stripe(home, subscription(status=status), name=f"{number}.jsonl", received_at=fetched_at)
    stripe.add("/v1/subscriptions", subscription(status=statuses[-1]))
    assert counts(compare(home, stripe)) == {"subscriptions": (1, 0, 0, 0)}


def test_what_was_deleted_stays_so(home: Home, stripe: FakeStripe) -> None:
    """The build would not count what is told of it afterwards."""
    land_stripe(home, told("customer.subscription.deleted", subscription(status="canceled")))
    stripe.add("/v1/subscriptions", subscription(status="canceled", metadata={"a": "b"}))
    assert counts(compare(home, stripe)) == {"subscriptions": (1, 0, 0, 0)}


def test_another_account_or_mode_has_not_told_it(home: Home, stripe: FakeStripe) -> None:
    """Objects are compared within one account and one mode."""
    land_stripe(home, subscription(livemode=True), stripe_event(livemode=True))
    land_stripe(home, {**stripe_event(livemode=False), "account": "acct_1"}, name="b.jsonl")
    stripe.add("/v1/subscriptions", subscription())
    stripe.add("/v1/events", told("customer.created", customer()))
    assert counts(compare(home, stripe, dry_run=True)) == {"subscriptions": (0, 1, 0, 0), "events": (0, 1, 0, 0)}
    assert counts(compare(home, stripe, dry_run=True, account="acct_1"))["events"] == (1, 0, 0, 0)


def test_a_list_that_may_not_be_read_does_not_hide_the_other(home: Home, stripe: FakeStripe) -> None:
    """The exit code says that not all was compared."""
    stripe.faults.append(once("/v1/subscriptions", failure(403, "needs rak_customer_read")))
    stripe.add("/v1/events", told("customer.created", customer()))
    found = compare(home, stripe)
    assert counts(found) == {"events": (0, 1, 0, 1)}
    assert found.exit_code == 1
    assert found.kinds[0].error == (
        "the key may not read them: give it the permission Subscriptions, Customers and Invoices: Read"
        " (rak_customer_read)"
    )


#: The same subscription as API versions of 2017 told it.
OLD = {
    "id": "sub_1",
    "object": "subscription",
    "status": "active",
    "customer": "cus_1",
    "canceled_at": None,
    "ended_at": None,
    "current_period_end": AT + 10,
    "discount": None,
    "items": {"data": [{"id": "si_1", "plan": {"id": "price_1"}, "quantity": 1}]},
    "plan": {"id": "price_1"},
    "quantity": 1,
}


@pytest.mark.parametrize(
    ("landed", "fetched", "names"),
    [
        (OLD, subscription(), ()),
        (OLD, subscription(discounts=[{"id": "di_1"}]), ("discounts",)),
        (subscription(discounts=["di_1"]), subscription(discounts=[{"id": "di_1"}]), ()),
        (subscription(), expanded(), ()),
        (subscription(), subscription(pause_collection={"behavior": "void", "resumes_at": 1}), ("pause_collection",)),
        (subscription(), subscription(latest_invoice="in_2"), ("latest_invoice",)),
        (OLD, subscription(items={"data": [{"id": "si_1", "price": "price_2"}]}), ("items",)),
        (subscription(items="none", pause_collection=3, discounts={}), subscription(), ("items",)),
        (customer(), customer(email="eve@example.org", created=3), ("email",)),
        (customer(), {"id": "cus_1", "object": "customer", "deleted": True}, ("deleted",)),
        (invoice(status="open", amount_paid=0), invoice(), ("status", "amount_paid")),
        (invoice(), invoice(hosted_invoice_url="https://pay.example.org"), ()),
    ],
)
def test_only_what_matters_makes_a_telling_stale(
    landed: dict[str, Any], fetched: dict[str, Any], names: tuple[str, ...]
) -> None:
    """Versions of the API and expanded objects tell the same thing in other words."""
    assert differing(landed, fetched) == names
