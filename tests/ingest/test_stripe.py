"""Deliveries of Stripe land as they were sent: events, objects, lists, each once, whatever their age and type."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest.jsongate import Lines
from ingest.reasons import RefusedRow
from ingest.stripecheck import StripeRules, check_text
from ingest.stripesql import STRIPE_CHECKED
from ingest.times import TimeRange
from models import limits
from models.landing import STRIPE
from tests.ingest.landings import NOW, UTC, counts, land, reasons
from tests.ingest.stripes import (
    CREATED,
    CREATED_AT,
    compact,
    land_stripe,
    landed_stripe,
    listed,
    stripe_event,
    stripe_object,
)
from tests.pipeline.projects import Studio
from warehouse.control import landed_files
from warehouse.home import Home

SHARED = Path(__file__).parents[3] / "shared" / "data" / "stripe"
RECEIVED = datetime(2026, 1, 30, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_an_event_lands_with_what_says_which_it_is(home: Home) -> None:
    """Its body stays as it was written, white space and all."""
    body = json.dumps(stripe_event(account="acct_1"), indent=1).replace("\n", " ")
    assert counts(land_stripe(home, body)) == (1, 1, 0, 0)
    names = [name for name in STRIPE_CHECKED if name != "row_number"]
    (row,) = landed_stripe(home, *names, "row_number", "landed_at", "batch_seq")
    assert dict(zip([*names, "row_number", "landed_at", "batch_seq"], row, strict=True)) == {
        "delivery_id": "evt_1",
        "kind": "event",
        "event_type": "customer.updated",
        "object_type": "customer",
        "object_id": "cus_1",
        "created_at": CREATED_AT,
        "api_version": "2020-08-27",
        "account": "acct_1",
        "livemode": True,
        "received_at": None,
        "fetched_at": None,
        "body": body,
        "row_number": 1,
        "landed_at": NOW,
        "batch_seq": 1,
    }
    (file,) = landed_files(home.control)
    assert (file.entity, file.source_kind, file.path) == ("stripe", "stripe", "landing/stripe/0000000001.parquet")
    assert (file.min_occurred_at, file.max_occurred_at) == (CREATED_AT, CREATED_AT)


def test_batches_of_events_and_of_stripe_share_their_numbers(home: Home) -> None:
    """A build's watermark is one number."""
    land_stripe(home, stripe_event())
    land(home, b'{"eventId":"e1","personId":"a","timestamp":"2026-01-30T12:00:00Z","eventType":"x"}\n')
    land_stripe(home, stripe_event(id="evt_2"), name="b.jsonl")
    assert [(file.batch_seq, file.entity) for file in landed_files(home.control)] == [
        (1, "stripe"),
        (2, "event"),
        (3, "stripe"),
    ]


@pytest.mark.parametrize(
    ("given", "received_at", "fetched_at"),
    [(None, None, NOW), (RECEIVED, RECEIVED, RECEIVED)],
)
def test_times_of_receipt(
    home: Home, given: datetime | None, received_at: datetime | None, fetched_at: datetime
) -> None:
    """An object holds as of its receipt, or of its landing; an event needs no receipt; an envelope says it best."""
    envelope = {"received_at": "2026-02-01T00:00:00Z", "body": stripe_object(id="cus_2")}
    land_stripe(home, stripe_event(), stripe_object(), envelope, received_at=given)
    assert landed_stripe(home, "delivery_id", "created_at", "received_at", "fetched_at") == [
        ("evt_1", CREATED_AT, received_at, None),
        ("customer:cus_1", None, None, fetched_at),
        ("customer:cus_2", None, None, datetime(2026, 2, 1, tzinfo=UTC)),
    ]


@pytest.mark.parametrize("is_enveloped", [False, True])
@pytest.mark.parametrize("kind", ["list", "search_result"])
def test_every_entry_of_a_list_is_a_record(home: Home, kind: str, *, is_enveloped: bool) -> None:
    """Each as it is written in the list; an empty list has none."""
    entry = '{ "id": "cus_2", "object": "customer", "balance": 1.50 }'
    page = f'{{"url": "/v1", "object": "{kind}", "data": [{compact(stripe_object())} , {entry}], "has_more": true}}'
    if is_enveloped:
        page = f'{{"body": {page}, "received_at": "2026-01-30T12:00:00Z"}}'
    assert counts(land_stripe(home, page, listed())) == (2, 2, 0, 0)
    assert landed_stripe(home, "body", "fetched_at", "row_number") == [
        (compact(stripe_object()), RECEIVED if is_enveloped else NOW, 1),
        (entry, RECEIVED if is_enveloped else NOW, 1),
    ]


def test_a_long_list_is_no_long_line(home: Home) -> None:
    """A page of a hundred invoices may well be larger than an event may be."""
    objects = [stripe_object(id=f"cus_{number}", description="x" * 20_000) for number in range(100)]
    content = json.dumps(listed(*objects))
    assert len(content) > limits.MAX_EVENT_BYTES
    assert counts(land_stripe(home, content)) == (100, 100, 0, 0)
    assert counts(land(home, json.dumps([listed(*objects)]).encode(), "a.json", writer="stripe")) == (
        *(100, 0, 100, 0),
    )


def test_folders_and_arrays_of_deliveries(home: Home, tmp_path: Path) -> None:
    """One event a file, pretty-printed, or many in an array."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(stripe_event(), indent=2))
    (folder / "b.json").write_text(json.dumps([stripe_event(id="evt_2"), stripe_object()], indent=2))
    from ingest.events import land_files
    from ingest.options import LandOptions

    assert counts(land_files(home, [folder], LandOptions(writer="stripe"), now=NOW)) == (3, 3, 0, 0)


@pytest.mark.parametrize(
    ("change", "landed"),
    [
        ({}, 0),
        ({"pending_webhooks": 2}, 1),
        ({"account": "acct_1"}, 1),
        ({"livemode": False}, 1),
        ({"id": "evt_2"}, 1),
    ],
)
def test_the_same_delivery_lands_once(home: Home, change: dict[str, Any], landed: int) -> None:
    """W17: in one file, across files, whenever it was received; W13: of another account or mode it is another."""
    assert counts(land_stripe(home, stripe_event(), stripe_event())) == (2, 1, 1, 0)
    again = {"received_at": "2026-01-30T12:00:00Z", "body": stripe_event(**change)}
    assert counts(land_stripe(home, again, name="b.jsonl")) == (1, landed, 1 - landed, 0)


def test_an_event_that_was_received_earlier_lands_again(home: Home) -> None:
    """So that it is known since when it was, in whatever order repeats come; without a time, since it was made."""
    times = [RECEIVED, RECEIVED + timedelta(hours=1), RECEIVED - timedelta(hours=1), None, RECEIVED]
    found = [
        land_stripe(home, stripe_event(), name=f"{number}.jsonl", received_at=time).landed
        for number, time in enumerate(times)
    ]
    assert found == [1, 0, 1, 1, 0]
    first, then = (
        {"received_at": f"2026-01-{day}T12:00:00Z", "body": stripe_event(id="evt_2")} for day in ("30", "31")
    )
    assert counts(land_stripe(home, then, first, then, name="b.jsonl")) == (3, 1, 2, 0)
    assert landed_stripe(home, "received_at")[-1] == (datetime.fromisoformat("2026-01-30T12:00:00Z"),)


def test_an_object_lands_again_for_another_time(home: Home) -> None:
    """It may have been otherwise between; without a time it says nothing that is not known."""
    day = timedelta(days=1)
    for number, (received_at, landed) in enumerate(
        [(RECEIVED, 1), (RECEIVED, 0), (RECEIVED + day, 1), (RECEIVED - day, 1), (None, 0)]
    ):
        summary = land_stripe(
            home, stripe_object(), name=f"{number}.jsonl", now=NOW + number * day, received_at=received_at
        )
        assert summary.landed == landed, received_at
    assert [time for (time,) in landed_stripe(home, "fetched_at")] == [RECEIVED, RECEIVED + day, RECEIVED - day]


def test_objects_without_a_time_are_noted(home: Home) -> None:
    """The summary says as of when they were taken."""
    summary = land_stripe(home, stripe_object(), stripe_event(), listed(stripe_object(id="cus_2")))
    assert summary.files[0].notes == (
        "2 objects without a time of receipt were taken as of 2026-03-01 12:00:00 UTC (--received-at gives another)",
    )
    assert land_stripe(home, stripe_event(id="evt_2"), name="b.jsonl").files[0].notes == ()


def test_unknown_types_and_thin_events_land(home: Home) -> None:
    """W14: what nobody reads yet is there when somebody does; ``gdp status`` counts it (test_source_health.py)."""
    thin = {
        "id": "evt_test_65",
        "object": "v2.core.event",
        "type": "v1.billing.meter.error_report_triggered",
        "created": "2026-01-01T00:00:00.500Z",
        "livemode": False,
        "related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/mtr_1"},
    }
    odd = stripe_event(id="evt_2", type="brand.new", data={"object": {"customer": "cus_1"}})
    bare = stripe_event(id="evt_3", data=None)
    version = stripe_event(id="evt_4", api_version="2199-01-01.future")
    assert counts(land_stripe(home, thin, odd, bare, version, stripe_object(object="brand_new"))) == (5, 5, 0, 0)
    assert landed_stripe(home, "api_version")[3] == ("2199-01-01.future",)
    assert landed_stripe(home, "delivery_id", "event_type", "object_type", "object_id", "created_at") == [
        (
            *("evt_test_65", "v1.billing.meter.error_report_triggered", "billing.meter", "mtr_1"),
            CREATED_AT + timedelta(milliseconds=500),
        ),
        ("evt_2", "brand.new", None, None, CREATED_AT),
        ("evt_3", "customer.updated", None, None, CREATED_AT),
        ("evt_4", "customer.updated", "customer", "cus_1", CREATED_AT),
        ("brand_new:cus_1", None, "brand_new", "cus_1", None),
    ]


GOOD = [
    stripe_event(),
    stripe_event(account=None, livemode=False, api_version=None),
    stripe_event(id="evt with space", type="ü", account="ü"),
    stripe_event(created=CREATED + 0.5),
    stripe_event(created=str(CREATED_AT.isoformat())),
    stripe_event(data={"object": {"id": 7, "object": ["x"]}}),
    stripe_event(data=[1]),
    stripe_event(data={"object": stripe_object(description='}"\\ü\t:"')}),
    stripe_object(account={"id": "acct_1"}, api_version=7, type=1, created="x"),
    stripe_object(livemode=None, data={"object": {"id": "sub_1", "object": "subscription"}}),
    {"received_at": "2026-01-30T12:00:00Z", "body": stripe_object(id="cus_3")},
    {"received_at": 1_769_774_400, "body": stripe_event(id="evt_3")},
]


@pytest.mark.parametrize("received_at", [None, RECEIVED])
def test_bulk_and_exact_agree(home: Home, received_at: datetime | None) -> None:
    """What SQL lands by itself is what the one-by-one rule would have landed."""
    texts = [json.dumps(value, ensure_ascii=number % 2 == 0) for number, value in enumerate(GOOD)]
    rules = StripeRules(TimeRange.at(NOW), received_at)
    expected = []
    for number, text in enumerate(texts, start=1):
        (row,) = check_text(text, number, rules)
        assert not isinstance(row, RefusedRow), row
        if row["kind"] == "object":
            row["fetched_at"] = row.get("fetched_at") or NOW
        expected.append(tuple(row.get(name) for name in STRIPE_CHECKED))
    assert counts(land_stripe(home, *texts, received_at=received_at)) == (len(texts), len(texts), 0, 0)
    assert landed_stripe(home, *STRIPE_CHECKED) == expected


def test_the_command(tmp_path: Path) -> None:
    """gdp ingest stripe prints the counts; what is no JSON file, or received in the future, is said in one line."""
    studio = Studio.make(tmp_path / "studio")
    file = tmp_path / "a.json"
    file.write_text(json.dumps(listed(stripe_object(), stripe_object(id=None)), indent=2))
    at = ("--received-at", "2026-01-30T12:00:00Z")
    summary = studio.ok("ingest", "stripe", file, "--format", "json", *at).json
    assert (summary["rows_in"], summary["landed"], summary["quarantined"]) == (2, 1, 1)
    assert landed_stripe(studio.home, "fetched_at") == [(RECEIVED,)]
    (tmp_path / "a.csv").write_text("id,object\n1,event\n")
    answer = studio.gdp("ingest", "stripe", tmp_path / "a.csv")
    assert (answer.code, "what stripe delivers is JSON (.jsonl, .json)" in answer.err) == (1, True)
    answer = studio.gdp("ingest", "stripe", file, "--received-at", "2199-01-01T00:00:00Z")
    assert (answer.code, "is in the future" in answer.err) == (2, True), answer.err


def test_the_schema_of_the_files(home: Home) -> None:
    """As models/landing.py has it."""
    import pyarrow.parquet as pq

    land_stripe(home, stripe_event(), stripe_object())
    types = {
        "BIGINT": pa.int64(),
        "VARCHAR": pa.string(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    }
    (file,) = landed_files(home.control)
    schema = pq.read_schema(home.root / file.path)
    assert [(field.name, field.type) for field in schema] == [
        (column.name, types[column.type]) for column in STRIPE.columns
    ]


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the recorded payloads")
def test_recorded_payloads_are_all_accounted_for(home: Home) -> None:
    """Every recorded event, answer and example lands, or waits with a reason that is right."""
    written = b"\n".join(path.read_bytes() for path in sorted((SHARED / "webhooks_2020").glob("*.json")))
    assert counts(land(home, written, "events.json", writer="stripe")) == (71, 71, 0, 0)
    types = Counter(event_type for (event_type,) in landed_stripe(home, "event_type"))
    assert (types["customer.subscription.updated"], types["invoice.paid"], len(types)) == (1, 1, 71)

    answers = [json.loads(line)["body"] for line in (SHARED / "recorded_api_responses.jsonl").read_text().splitlines()]
    lists = [answer for answer in answers if answer.get("object") == "list"]
    errors = sum("error" in answer for answer in answers)
    records = len(answers) - len(lists) + sum(len(page["data"]) for page in lists)
    summary = land_stripe(home, *answers)
    assert (summary.rows_in, reasons(summary)) == (records, {"missing_field": errors})
    assert summary.landed + summary.duplicate == records - errors
    repeated = Counter(json.dumps(item) for page in [*lists, listed(*answers)] for item in page["data"])
    assert summary.duplicate <= sum(count - 1 for count in repeated.values())

    objects = [json.loads(path.read_text()) for path in sorted((SHARED / "objects_2025_2026").glob("*.json"))]
    whole = [value for value in objects if isinstance(value["object"], str)]
    summary = land_stripe(home, *objects, name="objects.jsonl")
    assert counts(summary) == (21, len(whole), 0, 21 - len(whole))

    examples = list(json.loads((SHARED / "openapi_fixtures.json").read_text())["resources"].values())
    summary = land_stripe(home, *examples, name="examples.jsonl")
    named = [value for value in examples if value.get("id") and value.get("object")]
    assert summary.rows_in == 176
    assert summary.landed + summary.duplicate == len(named)


def test_texts_may_come_in_any_blocks(home: Home) -> None:
    """The taker does not care how a file was cut."""
    from ingest.landfile import new_parts
    from ingest.parts import Engine, connected
    from ingest.striperows import StripeRows
    from warehouse.landing import landing_room

    home.ensure()
    with landing_room(home) as room, connected(room, Engine(1, "1GB")) as connection:
        parts = new_parts(home, connection, room, NOW, "stripe")
        rows = StripeRows(parts, StripeRules(TimeRange.at(NOW)))
        for number in range(1, 4):
            text = compact(stripe_event(id=f"evt_{min(number, 2)}"))
            rows.take(Lines(pa.array([number], pa.int64()), pa.array([text], pa.string())))
        rows.finish()
        assert (rows.records, parts.taken, parts.landed, rows.drain_refused()) == (3, 3, 2, [])
