"""Deliveries of Stripe that cannot land: each waits with its reason, and lands once it is mended."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from ingest.quarantine import quarantined_rows
from ingest.replay import replay
from models import limits
from tests.ingest.landings import NOW, UTC, counts
from tests.ingest.stripes import (
    compact,
    land_stripe,
    landed_stripe,
    listed,
    stripe_event,
    stripe_object,
)
from warehouse.home import Home

SHARED = Path(__file__).parents[3] / "shared" / "data" / "stripe"
RECEIVED = datetime(2026, 1, 30, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


EVENT = compact(stripe_event())
BAD = {
    '{"error": {"message": "No such customer"}}': "missing_field",
    compact(stripe_event(id=None)): "missing_field",
    compact(stripe_object(id=None)): "missing_field",
    compact(stripe_event(created=None)): "missing_field",
    compact(stripe_event(type=None)): "missing_field",
    compact(stripe_event(id=" ")): "empty_id",
    compact(stripe_event(id=7)): "type_mismatch",
    compact(stripe_event(id="e" * 257)): "id_too_long",
    compact(stripe_event(created="soon")): "bad_time",
    compact(stripe_event(created=1)): "time_range",
    compact(stripe_event(created=4_000_000_000)): "time_range",
    compact(stripe_event(created=True)): "type_mismatch",
    compact(stripe_event(livemode="yes")): "type_mismatch",
    compact(stripe_event(account={})): "type_mismatch",
    compact({"object": stripe_object()}): "type_mismatch",
    compact(listed(data=3)): "type_mismatch",
    compact(listed(listed())): "unknown_value",
    compact({"received_at": "2026-01-30T12:00:00Z", "channel": "pixel", "body": {}}): "unknown_value",
    compact({"received_at": "2036-01-30T12:00:00Z", "body": stripe_event()}): "time_range",
    "[]": "not_an_object",
    "null": "not_an_object",
    '"x"': "not_an_object",
    "{": "not_json",
    EVENT + EVENT: "not_json",
    EVENT[:-1] + ",}": "not_json",
    EVENT[:-1] + ',"x":NaN}': "non_finite",
    EVENT[:-1] + ',"x":-Infinity}': "non_finite",
    EVENT[:-1] + ',"x":1e400}': "non_finite",
    EVENT[:-1] + ',"id":"evt_2"}': "duplicate_key",
    EVENT[:-1] + ',"x":{"a":1,"a":2}}': "duplicate_key",
    EVENT[:-1] + ',"x":"\\ud800"}': "bad_unicode",
    EVENT[:-1] + ',"x":"\\u0000"}': "nul",
    EVENT[:-1] + ',"x":"\0"}': "nul",
    EVENT[:-1] + ',"x":' + "[" * 40 + "]" * 40 + "}": "too_deep",
    EVENT[:-1] + ',"x":"' + "y" * limits.MAX_EVENT_BYTES + '"}': "too_large",
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """The reasons for which bad lines wait, each between good ones of the same shape, by the number of the line."""
    home = Home(tmp_path_factory.mktemp("bad") / "home")
    good = [compact(stripe_event(id=f"evt_{number}")) for number in range(len(BAD))]
    summary = land_stripe(home, *(line for pair in zip(good, BAD, strict=True) for line in pair))
    assert counts(summary) == (2 * len(BAD), len(BAD), 0, len(BAD))
    return {row.row_number or 0: row.reason for row in quarantined_rows(home)}


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_cannot_land_waits_with_its_reason(refused: dict[int, str], number: int) -> None:
    """And the good ones beside it land."""
    line, reason = list(BAD.items())[number]
    assert refused[2 * number + 2] == reason, line[:200]


def test_a_refused_entry_of_a_list_is_tried_again_by_itself(home: Home) -> None:
    """With the time of its list; equal ones that landed meanwhile are duplicates."""
    page = {"received_at": "2026-01-30T12:00:00Z", "body": listed(stripe_object(), stripe_object(id=None))}
    assert counts(land_stripe(home, page)) == (2, 1, 0, 1)
    (row,) = quarantined_rows(home)
    edited = row.raw.replace(b'"object":', b'"id": "cus_2", "object":', 1)
    assert b"cus_2" in edited
    summary = replay(home, now=NOW, edits={row.id: edited})
    assert (summary.rows_in, summary.landed, summary.still_refused) == (1, 1, {})
    assert landed_stripe(home, "delivery_id", "fetched_at") == [
        ("customer:cus_1", RECEIVED),
        ("customer:cus_2", RECEIVED),
    ]
    assert quarantined_rows(home, waiting_only=True) == []


def test_a_refused_text_may_turn_out_to_be_a_list(home: Home) -> None:
    """Then it lands as many deliveries; one that is still refused waits on as a whole."""
    land_stripe(home, compact(listed(stripe_object(), stripe_object(id="cus_2")))[:-1])
    (row,) = quarantined_rows(home)
    summary = replay(home, now=NOW, edits={row.id: row.raw + b"}"})
    assert (summary.landed, summary.duplicate, summary.still_refused) == (2, 0, {})


def test_a_list_that_is_refused_in_part_waits_and_counts_nothing_as_landed(home: Home) -> None:
    """What a replay reports is what landed; once the list is mended, all of it does."""
    land_stripe(home, compact(listed(stripe_object(), stripe_object(id=None)))[:-1])
    (row,) = quarantined_rows(home)
    summary = replay(home, now=NOW, edits={row.id: row.raw + b"}"})
    assert (summary.landed, summary.duplicate, list(summary.still_refused)) == (0, 0, [row.id])
    assert landed_stripe(home, "delivery_id") == []
    mended = compact(listed(stripe_object(), stripe_object(id="cus_2"))).encode()
    summary = replay(home, now=NOW, edits={row.id: mended})
    assert (summary.landed, summary.duplicate, summary.still_refused) == (2, 0, {})
    assert landed_stripe(home, "delivery_id") == [("customer:cus_1",), ("customer:cus_2",)]
