"""A fetch from Stripe's API that was stopped goes on behind what has landed."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest

import ingest.stripeapi
import ingest.stripebackfill
from tests.ingest.fakestripe import KEY, FakeStripe, Request, failure
from tests.ingest.fetches import Clock, fetch, thing
from tests.ingest.landings import NOW, counts
from tests.ingest.stripes import CREATED, landed_stripe
from warehouse.fetch_cursor import FetchCursor, FetchedList, read_cursor, set_cursor
from warehouse.forget import forget, landings
from warehouse.home import Home

ROOT = Path(__file__).parents[2]


def test_a_fetch_that_was_stopped_goes_on(home: Home, stripe: FakeStripe, small_pages: None) -> None:
    """What was fetched has landed; the next run asks for what is behind it, and the one after for everything."""
    stripe.add("/v1/customers", *(thing("customer", number) for number in range(1, 7)))
    stripe.faults.append(lambda request: failure(400, "no") if request.one("starting_after") == "cu_3" else None)
    (file,) = fetch(home, stripe, "customers").files
    assert (file.rows_in, file.landed, file.error) == (4, 4, "Stripe answered 400: no")
    stripe.faults.clear()
    stripe.requests.clear()
    (file,) = fetch(home, stripe, "customers").files
    assert (file.rows_in, file.landed, file.error) == (2, 2, None)
    assert file.notes == (
        "customers: went on with the fetch of 2026-03-01 12:00:00 UTC; the next one begins with what was created since",
    )
    assert stripe.asked("/v1/customers", "starting_after") == [("cu_3",)]
    assert len(landed_stripe(home, "delivery_id")) == 6
    assert counts(fetch(home, stripe, "customers")) == (6, 6, 0, 0)


def test_a_cursor_is_of_one_account_one_list_and_one_since(home: Home, stripe: FakeStripe, small_pages: None) -> None:
    """Another account, mode, kind or --since begins at the start."""
    stripe.add("/v1/customers", *(thing("customer", number) for number in range(1, 5)))
    stripe.faults.append(lambda request: failure(400, "no") if request.one("starting_after") else None)
    fetch(home, stripe, "customers")
    assert read_cursor(home.control, FetchedList("", False, "customers")) is not None
    stripe.faults.clear()
    since = datetime.fromtimestamp(CREATED, NOW.tzinfo)
    for options in ({"account": "acct_1"}, {"since": since}):
        stripe.requests.clear()
        assert counts(fetch(home, stripe, "customers", **options)) == (4, 4, 0, 0)
        assert stripe.asked("/v1/customers", "starting_after") == [(None,), ("cu_3",)]
    assert read_cursor(home.control, FetchedList("", False, "customers")) is None


def test_a_batch_and_its_cursor_count_together(
    home: Home, stripe: FakeStripe, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the cursor cannot be noted, the batch has not landed; the next fetch begins where the last batch ended."""
    stripe.add("/v1/customers", *(thing("customer", number) for number in range(1, 7)))
    cursors = []

    def breaks(connection: sqlite3.Connection, listed: FetchedList, cursor: FetchCursor | None) -> None:
        set_cursor(connection, listed, cursor)
        cursors.append(cursor)
        if len(cursors) == 2:
            raise OSError("no more cursors")

    with monkeypatch.context() as patch:
        patch.setattr(ingest.stripebackfill, "set_cursor", breaks)
        with pytest.raises(OSError, match="no more cursors"):
            fetch(home, stripe, "customers", rows=2)
    assert read_cursor(home.control, FetchedList("", False, "customers")) == cursors[0]
    assert len(landed_stripe(home, "object_id")) == 2
    assert counts(fetch(home, stripe, "customers", rows=2)) == (4, 4, 0, 0)
    assert sorted(landed_stripe(home, "object_id")) == [(f"cu_{number}",) for number in range(1, 7)]


def test_a_list_begins_anew_where_its_cursor_is_gone(home: Home, stripe: FakeStripe, small_pages: None) -> None:
    """The object behind which it was to go on may have been deleted; nothing is left out."""
    stripe.add("/v1/customers", *(thing("customer", number) for number in range(1, 6)))
    gone = failure(400, "No such customer: 'cu_4'", code="resource_missing", param="starting_after")
    stripe.faults.append(lambda request: gone if len(stripe.requests) == 2 else None)
    (file,) = fetch(home, stripe, "customers").files
    assert (file.rows_in, file.landed, file.error) == (7, 7, None)
    assert file.notes == ("customers: began anew, for the object where it was to go on is gone",)
    assert {row for (row,) in landed_stripe(home, "object_id")} == {f"cu_{number}" for number in range(1, 6)}


def test_cursors_that_always_vanish_are_an_error(home: Home, stripe: FakeStripe, small_pages: None) -> None:
    """It does not begin anew for ever."""
    stripe.add("/v1/customers", *(thing("customer", number) for number in range(1, 6)))
    gone = failure(400, "No such customer", code="resource_missing", param="starting_after")
    stripe.faults.append(lambda request: gone if request.one("starting_after") else None)
    (file,) = fetch(home, stripe, "customers").files
    assert file.error == "objects vanish while they are listed: try again later"
    assert len(stripe.requests) == 8


def test_forgetting_a_batch_lets_the_next_fetch_begin_at_the_start(
    home: Home, stripe: FakeStripe, small_pages: None
) -> None:
    """Else what was forgotten would be passed by."""
    stripe.add("/v1/customers", *(thing("customer", number) for number in range(1, 5)))
    stripe.faults.append(lambda request: failure(400, "no") if request.one("starting_after") else None)
    fetch(home, stripe, "customers")
    (landing,) = landings(home.control)
    assert (landing.name, landing.form, landing.landed) == ("Stripe's API: customers", "api", 2)
    forget(home, [landing.number], now=NOW)
    stripe.faults.clear()
    assert counts(fetch(home, stripe, "customers")) == (4, 4, 0, 0)


CHILD = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from pydantic import SecretStr
import ingest.stripeapi
from ingest.options import LandOptions
from ingest.stripeapi import Access, StripeApi
from ingest.stripebackfill import BatchSize, backfill
from ingest.stripekinds import chosen_kinds
from warehouse.home import Home
ingest.stripeapi.PAGE_ENTRIES = 2
home, url, key = sys.argv[1:]
api = StripeApi(Access(SecretStr(key), url), clock=lambda: datetime.now(timezone.utc))
backfill(Home(Path(home)), api, chosen_kinds(["customers", "charges"]), LandOptions(threads=1),
    batch_size=BatchSize(rows=4))
"""


def test_a_fetch_that_is_killed_lands_nothing_twice(home: Home, stripe: FakeStripe, small_pages: None) -> None:
    """It goes on behind its last batch; then all has landed once, as if nothing had been."""
    for kind in ("customer", "charge"):
        stripe.add(f"/v1/{kind}s", *(thing(kind, number) for number in range(1, 12)))
    reached, go_on = threading.Event(), threading.Event()

    def stall(request: Request) -> None:
        if request.path == "/v1/charges" and request.one("starting_after") == "ch_4":
            reached.set()
            go_on.wait(20)

    stripe.faults.append(stall)
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(home.root), stripe.url, KEY], cwd=ROOT)
    try:
        assert reached.wait(60)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        go_on.set()
    stripe.faults.clear()
    before = landed_stripe(home, "delivery_id")
    assert len(before) == 11 + 8
    (charges,) = fetch(home, stripe, "charges", clock=Clock(datetime.now(NOW.tzinfo))).files
    assert (charges.rows_in, charges.landed) == (3, 3)
    rows = landed_stripe(home, "delivery_id", "body")
    assert sorted(rows) == sorted(
        (f"{kind}:{kind[:2]}_{number}", json.dumps(thing(kind, number), indent=2))
        for kind in ("customer", "charge")
        for number in range(1, 12)
    )
