"""What Stripe's API lists lands whole, each entry as it was written, whatever comes between."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import ingest.stripeapi
import ingest.stripebackfill
from ingest.options import LandOptions
from ingest.quarantine import quarantined_rows
from ingest.replay import replay
from ingest.stripekinds import KINDS
from models.errors import UsageError
from tests.ingest.fakestripe import KEY, FakeStripe, Reply, Request, failure, once, page
from tests.ingest.fetches import Clock, fetch, thing
from tests.ingest.landings import NOW, counts
from tests.ingest.stripes import CREATED, compact, landed_stripe, stripe_event
from warehouse.home import Home

RECORDED = Path(__file__).parents[3] / "shared/data/stripe/recorded_api_responses.jsonl"


def test_every_kind_lands_page_by_page(home: Home, stripe: FakeStripe, small_pages: None) -> None:
    """Pages follow one another behind their last object; each kind is counted for itself."""
    for number, kind in enumerate(KINDS):
        entries = [thing(kind.object_type, each) for each in range(1, number + 1)]
        stripe.add(
            kind.path,
            *(stripe_event(**entry, type="x", data={}) if kind.name == "events" else entry for entry in entries),
        )
    summary = fetch(home, stripe)
    assert [(file.path, file.rows_in, file.landed) for file in summary.files] == [
        (kind.name, number, number) for number, kind in enumerate(KINDS)
    ]
    assert stripe.asked("/v1/invoices", "limit", "starting_after", "expand[0]") == [
        ("2", None, "data.payments"),
        ("2", "in_4", "data.payments"),
        ("2", "in_2", "data.payments"),
    ]
    assert len(landed_stripe(home, "delivery_id")) == sum(range(len(KINDS)))
    assert {request.headers["stripe-version"] for request in stripe.requests} == {"2026-10-28.endive"}
    assert not any("x-stripe-client-telemetry" in request.headers for request in stripe.requests)


def test_an_entry_lands_as_it_was_written_with_what_is_known_of_it(home: Home, stripe: FakeStripe) -> None:
    """White space and digits stay; mode, account and time are those of the request."""
    body = '{"id": "re_1",\n  "object": "refund", "created": 1, "amount": 10.50, "rate": 1E+2, "note": "\\u00e9"}'
    stripe.add("/v1/refunds", body)
    stripe.add("/v1/events", stripe_event(id="evt_1", account="acct_2"), stripe_event(id="evt_2", livemode=False))
    assert counts(fetch(home, stripe, "refunds", "events", account="acct_1")) == (3, 3, 0, 0)
    assert {request.headers["stripe-account"] for request in stripe.requests} == {"acct_1"}
    rows = landed_stripe(home, "delivery_id", "kind", "account", "livemode", "fetched_at", "received_at")
    asked = NOW + timedelta(milliseconds=2)
    assert [row for row in rows if row[1] == "object"] == [("refund:re_1", "object", "acct_1", False, asked, None)]
    received = asked + timedelta(milliseconds=3)
    assert sorted(row for row in rows if row[1] == "event") == [
        ("evt_1", "event", "acct_2", True, None, received),
        ("evt_2", "event", "acct_1", False, None, received),
    ]
    assert (body,) in landed_stripe(home, "body")


def test_a_clock_of_ours_that_is_ahead_outdates_nothing(home: Home, stripe: FakeStripe) -> None:
    """An object holds for the time when Stripe says that it answered, if that is earlier than ours."""
    reply = page([compact(thing("customer", 1))])
    stripe.faults.append(once("/v1/customers", Reply(reply.body, headers={"Date": "Sun, 01 Mar 2026 11:00:00 GMT"})))
    fetch(home, stripe, "customers")
    assert landed_stripe(home, "fetched_at") == [(NOW - timedelta(hours=1),)]


def test_only_what_was_created_since_is_asked_for(home: Home, stripe: FakeStripe) -> None:
    """--since is the API's created[gte]."""
    stripe.add("/v1/charges", *(thing("charge", number) for number in range(4)))
    since = datetime.fromtimestamp(CREATED + 2, NOW.tzinfo)
    assert counts(fetch(home, stripe, "charges", since=since)) == (2, 2, 0, 0)
    assert stripe.asked("/v1/charges", "created[gte]") == [(str(CREATED + 2),)]


def test_cancelled_subscriptions_are_listed_too(home: Home, stripe: FakeStripe) -> None:
    """The API leaves them out unless it is asked for all."""
    stripe.add(
        "/v1/subscriptions", thing("subscription", 1, status="canceled"), thing("subscription", 2, status="active")
    )
    assert counts(fetch(home, stripe, "subscriptions")) == (2, 2, 0, 0)


def test_lists_inside_of_objects_are_made_whole(home: Home, stripe: FakeStripe, small_pages: None) -> None:
    """What has_more says is missing is fetched and written into the object, which else stays as it was."""
    items = [
        f'{{"id": "si_{n}", "subscription": "su_1", "price": {{"unit_amount_decimal": "1.{n}0"}}}}' for n in range(5)
    ]
    held = f'{{"object": "list", "data": [ {items[4]} ], "has_more": true , "url": "/v1/x"}}'
    subscription = f'{{"id": "su_1", "object": "subscription", "items": {held}, "livemode": false, "q": 1.0}}'
    lines = [compact({"id": f"il_{number}"}) for number in range(3)]
    invoice = thing("invoice", 1, lines={"data": [json.loads(lines[2])], "has_more": True})
    stripe.add(
        "/v1/subscriptions", subscription, thing("subscription", 2, items={"data": [{"id": "a"}], "has_more": False})
    )
    stripe.add("/v1/subscription_items", *items, compact({"id": "si_9", "subscription": "su_9"}))
    stripe.add("/v1/invoices", invoice)
    stripe.add("/v1/invoices/in_1/lines", *lines)
    assert counts(fetch(home, stripe, "subscriptions", "invoices")) == (3, 3, 0, 0)
    bodies = {json.loads(body)["id"]: body for (body,) in landed_stripe(home, "body")}
    whole = f'{{"object": "list", "data": [ {", ".join(reversed(items))}], "has_more": false , "url": "/v1/x"}}'
    assert bodies["su_1"] == subscription.replace(held, whole)
    assert json.loads(bodies["in_1"])["lines"] == {"data": [{"id": f"il_{n}"} for n in (2, 1, 0)], "has_more": False}
    assert stripe.asked("/v1/subscription_items", "subscription", "starting_after") == [
        ("su_1", "si_4"),
        ("su_1", "si_2"),
    ]


@pytest.mark.parametrize(
    ("reply", "least", "most"),
    [
        (failure(429, "Too many requests", {"Retry-After": "7"}), 7, 10.5),
        (failure(429, "Too many requests"), 1, 1.5),
        (failure(503, "Busy", {"Retry-After": "3600"}), 60, 90),
        (Reply("<html>oops</html>", 500), 1, 1.5),
        (failure(409, "Locked"), 1, 1.5),
        (Reply("{", headers={"Content-Length": "40"}), 1, 1.5),
    ],
)
def test_what_passes_is_waited_for(home: Home, stripe: FakeStripe, reply: Reply, least: float, most: float) -> None:
    """As long as the API asks for, and a little longer by chance; an answer that breaks off is asked for again."""
    stripe.add("/v1/customers", thing("customer", 1))
    stripe.faults.append(once("/v1/customers", reply))
    clock = Clock()
    if reply.body == "{":
        stripe.faults[0] = hang_up(stripe.faults[0])
    assert counts(fetch(home, stripe, "customers", clock=clock)) == (1, 1, 0, 0)
    (slept,) = clock.slept
    assert least <= slept <= most


def hang_up(fault: Any) -> Any:
    """The fault's answer says that it is longer than it is, and the connection ends."""

    def closing(request: Request) -> Reply | None:
        reply = fault(request)
        return reply and Reply(reply.body, reply.status, {**reply.headers, "Connection": "close"})

    return closing


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (failure(500, "Oh no"), "Stripe answered 500: Oh no"),
        (failure(400, "Received unknown parameter"), "Stripe answered 400: Received unknown parameter"),
        (Reply('{"object": "list", "data": ['), "Stripe answered what is no JSON"),
        (Reply('{"object": "customer", "id": "cus_1"}'), "Stripe answered something else than a list of objects"),
        (page([], has_more=True), "Stripe answered an empty page and says that there is more"),
        (
            failure(403, f"The provided key '{KEY}' does not have 'rak_charge_read' on account 'acct_1'"),
            "the key may not read them: give it the permission Charges and Refunds: Read (rak_charge_read)",
        ),
    ],
)
def test_a_kind_that_fails_does_not_stop_the_others(home: Home, stripe: FakeStripe, reply: Reply, said: str) -> None:
    """It is told in one line without the key; the exit code says that something is missing."""
    stripe.add("/v1/refunds", thing("refund", 1))
    stripe.faults.append(once("/v1/charges", *[reply] * 6))
    summary = fetch(home, stripe, "charges", "refunds")
    assert [(file.path, file.landed, file.error) for file in summary.files] == [
        ("charges", 0, said),
        ("refunds", 1, None),
    ]
    assert summary.exit_code == 1


def test_a_key_that_is_not_accepted_ends_it(home: Home, stripe: FakeStripe) -> None:
    """No other list would answer; what Stripe shows of the key is not repeated."""
    stripe.faults.append(lambda _request: failure(401, "Invalid API Key provided: rk_test_****cret"))
    with pytest.raises(UsageError, match="^Stripe does not accept STRIPE_API_KEY: it may be mistyped, expired"):
        fetch(home, stripe)
    assert len(stripe.requests) == 1


def test_another_version_of_the_api_would_be_refused(
    home: Home, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is told with every request."""
    monkeypatch.setattr(ingest.stripeapi, "API_VERSION", "2020-08-27")
    (file,) = fetch(home, stripe, "customers").files
    assert file.error == "Stripe answered 400: Invalid Stripe API version"


def test_what_cannot_land_waits_in_quarantine_with_what_is_known_of_it(home: Home, stripe: FakeStripe) -> None:
    """A corrected entry lands with the account, mode and time of its fetch."""
    stripe.add("/v1/refunds", thing("refund", 1, livemode="perhaps"), thing("refund", 2, livemode=None))
    assert counts(fetch(home, stripe, "refunds", account="acct_1")) == (2, 1, 0, 1)
    (row,) = quarantined_rows(home)
    fixed = row.raw.replace(b'"perhaps"', b"null")
    again = replay(home, [row.id], now=NOW, options=LandOptions(threads=1), edits={row.id: fixed})
    assert (again.landed, again.still_refused) == (1, {})
    rows = landed_stripe(home, "object_id", "account", "livemode", "fetched_at")
    asked = NOW + timedelta(milliseconds=2)
    assert sorted(rows) == [("re_1", "acct_1", False, asked), ("re_2", "acct_1", False, asked)]


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers are not there")
def test_recorded_answers_land_as_they_are(home: Home, stripe: FakeStripe) -> None:
    """Real objects, of several versions of the API."""
    recorded: dict[str, dict[str, str]] = {}
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        body = json.loads(line)["body"]
        if isinstance(body, dict) and isinstance(body.get("id"), str):
            recorded.setdefault(f"/v1/{body.get('object')}s", {})[body["id"]] = json.dumps(body, indent=2)
    kinds = [kind for kind in KINDS if kind.path in recorded]
    assert {"customers", "subscriptions"} <= {kind.name for kind in kinds}
    for kind in kinds:
        stripe.add(kind.path, *recorded[kind.path].values())
    stripe.faults.append(lambda request: page([]) if request.path.endswith(("/lines", "_items")) else None)
    summary = fetch(home, stripe, *(kind.name for kind in kinds))
    assert [file.error for file in summary.files] == [None] * len(kinds)
    assert summary.landed == summary.rows_in > 0
    assert {body for (body,) in landed_stripe(home, "body")} <= {
        text for texts in recorded.values() for text in texts.values()
    }
