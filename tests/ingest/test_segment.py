"""What Segment's and RudderStack's clients send, and what of it lands."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.options import LandOptions
from ingest.quarantine import QuarantinedRow, quarantined_rows
from ingest.replay import replay
from tests.ingest.landings import NOW, UTC, counts, csv, event, events_landed, files_below, jsonl, land, landed, reasons
from warehouse.control import landed_files
from warehouse.home import Home

TIME = datetime(2026, 1, 30, 12, tzinfo=UTC)
PAYLOADS = Path(__file__).parents[3] / "shared/data/segment_spec/payloads.jsonl"
KEY = "s3cr3t-wr1te-key"


def message(**changes: Any) -> dict[str, Any]:
    """A smallest track call, with changes; a change to None leaves the key out."""
    fields = {"type": "track", "event": "x", "userId": "ada", "messageId": "m1", "timestamp": "2026-01-30T12:00:00Z"}
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def call(type_: str, **changes: Any) -> dict[str, Any]:
    """A smallest call of another type."""
    return message(type=type_, event=None, **changes)


def nameless(**changes: Any) -> dict[str, Any]:
    """A call that does not say which it is."""
    return message(type=None, event=None, **changes)


def envelope(body: Any, received_at: datetime = TIME, **more: Any) -> dict[str, Any]:
    """A body in its envelope."""
    return {"received_at": received_at.isoformat(), **more, "body": body}


def land_segment(
    home: Home, *deliveries: Any, name: str = "segment.jsonl", **options: Any
) -> tuple[int, int, int, int]:
    """Land deliveries, one a line."""
    return counts(land(home, jsonl(*deliveries), name, writer="segment", **options))


def events_of(home: Home, deliveries: Sequence[Any], **options: Any) -> list[dict[str, Any]]:
    """For each delivery the columns of the one event that it becomes, without what is null.

    All land together, each with a messageId of its own.
    """
    numbered = [json.dumps(delivery).replace('"m1"', f'"m1-{number}"') for number, delivery in enumerate(deliveries)]
    every = len(deliveries)
    assert land_segment(home, *numbered, **options) == (every, every, 0, 0)
    return [found | {"event_id": found["event_id"].partition("-")[0]} for found in events_landed(home)]


ALWAYS = {"event_id": "m1", "source": "segment", "occurred_at": TIME, "user_id": "ada", "properties": {}}
CONTEXT = {
    "ip": "10.0.0.1",
    "userAgent": "curl",
    "groupId": "initech",
    "sessionId": 1769774400123,
    "campaign": {"name": "spring", "source": "news", "medium": "email", "term": "t", "content": "c", "id": "7"},
    "device": {"id": "d1", "type": "ios"},
    "library": {"name": "analytics.js", "version": "2"},
    "traits": {"email": "Ada@X.org", "plan": "free"},
}

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("track", message(properties={"a": 1}), {"event_type": "x", "properties": {"a": 1}}),
    (
        "identify",
        call("identify", traits={"email": "ada@x.org", "plan": "pro"}, context={"traits": {"plan": "free", "b": 1}}),
        {
            "event_type": "identify",
            "email": "ada@x.org",
            "traits": {"plan": "pro", "b": 1, "email": "ada@x.org"},
        },
    ),
    (
        "page",
        call("page", name="Home", category="Docs", properties={"title": "T"}, context={"page": {"url": "http://x"}}),
        {
            "event_type": "page_view",
            "properties": {"title": "T", "category": "Docs", "name": "Home", "url": "http://x"},
            "metadata": {"context": {"page": {"url": "http://x"}}},
        },
    ),
    (
        "page with its own address and another name",
        call("page", name="Home", properties={"url": "u", "name": "n"}, context={"page": {"url": "http://x"}}),
        {
            "event_type": "page_view",
            "properties": {"url": "u", "name": "n"},
            "metadata": {"context": {"page": {"url": "http://x"}}, "name": "Home"},
        },
    ),
    ("screen", call("screen", name="Home"), {"event_type": "screen_view", "properties": {"name": "Home"}}),
    (
        "group",
        call("group", groupId="g1", traits={"email": "info@g.org"}, context={"traits": {"email": "ada@x.org"}}),
        {
            "event_type": "group",
            "account_id": "g1",
            "email": "ada@x.org",
            "traits": {"email": "info@g.org"},
            "metadata": {"context": {"traits": {"email": "ada@x.org"}}},
        },
    ),
    ("alias", call("alias", previousId="anon"), {"event_type": "alias", "anonymous_id": "anon"}),
    ("alias of an address", call("alias", previousId="a@x.org"), {"event_type": "alias", "email": "a@x.org"}),
    (
        "alias by another browser",
        call("alias", previousId="p", anonymousId="b"),
        {"event_type": "alias", "anonymous_id": "p", "metadata": {"anonymousId": "b"}},
    ),
    (
        "context",
        message(anonymousId="anon", context=CONTEXT, integrations={"All": True}, version=1, _metadata={"n": 1}),
        {
            "event_type": "x",
            "anonymous_id": "anon",
            "device_id": "d1",
            "email": "ada@x.org",
            "account_id": "initech",
            "session_id": "1769774400123",
            "ip_address": "10.0.0.1",
            "user_agent": "curl",
            "utm_source": "news",
            "utm_medium": "email",
            "utm_campaign": "spring",
            "utm_content": "c",
            "utm_term": "t",
            "traits": {"email": "Ada@X.org", "plan": "free"},
            "metadata": {
                "_metadata": {"n": 1},
                "context": {key: CONTEXT[key] for key in ("campaign", "device", "library")},
                "integrations": {"All": True},
                "version": 1,
            },
            "given": {"email": "Ada@X.org"},
        },
    ),
    ("no call is named: event", message(type=None), {"event_type": "x"}),
    ("no call is named: traits", nameless(traits={"a": 1}), {"event_type": "identify", "traits": {"a": 1}}),
    ("no call is named: groupId", nameless(groupId="g"), {"event_type": "group", "account_id": "g"}),
    ("no call is named: name", nameless(name="H"), {"event_type": "page_view", "properties": {"name": "H"}}),
    ("the path names the call", envelope(nameless(name="H"), channel="screen"), {
        "event_type": "screen_view", "properties": {"name": "H"}, "received_at": TIME}),
    ("an action names the call", message(type=None, action="track"), {"event_type": "x"}),
    ("snake_case ids", message(userId=None, user_id="ada"), {"event_type": "x"}),
    ("null and empty ids", message(anonymousId="", groupId="", context={"device": {"id": ""}}) | {"previousId": None}, {
        "event_type": "x", "metadata": {"context": {"device": {"id": ""}}}}),
    ("an e-mail that is no address", call("identify", traits={"email": "none"}), {
        "event_type": "identify", "traits": {"email": "none"}}),
]  # fmt: skip


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory, way: str) -> dict[str, dict[str, Any]]:
    """The event of each call by its name."""
    home = Home(tmp_path_factory.mktemp(f"calls-{way}") / "home").ensure()
    found = events_of(home, [delivery for _, delivery, _ in CALLS])
    return {name: event for (name, *_), event in zip(CALLS, found, strict=True)}


@pytest.mark.parametrize(("name", "wanted"), [(name, wanted) for name, _, wanted in CALLS])
def test_what_a_call_says(called: dict[str, dict[str, Any]], name: str, wanted: dict[str, Any]) -> None:
    """Each field by its name, and what no field answers to in the metadata."""
    assert called[name] == ALWAYS | wanted


SKEWED = "2026-01-30T11:00:00Z"
CLOCKS: list[tuple[str, Any, dict[str, Any], datetime]] = [
    ("the client's own time, where nobody says when it was sent", message(), {}, TIME),
    ("received, and not sent", envelope(message()), {}, TIME),
    ("sent an hour slow", envelope(message(timestamp=SKEWED, sentAt="2026-01-30T11:00:02Z")), {},
        TIME - timedelta(seconds=2)),
    ("the batch says when it was sent", envelope({"batch": [message(timestamp=SKEWED)], "sentAt": SKEWED}), {}, TIME),
    ("sent, received as told", message(timestamp=SKEWED, sentAt=SKEWED), {"received_at": TIME}, TIME),
    ("archived", message(originalTimestamp=SKEWED, sentAt=SKEWED, receivedAt=TIME.isoformat()), {}, TIME),
    ("an envelope knows better", envelope(message(sentAt=SKEWED, timestamp=SKEWED, receivedAt=SKEWED)), {}, TIME),
    ("no time but when it was sent", envelope(message(timestamp=None, sentAt=SKEWED)), {}, TIME),
    ("no time but when it was received", envelope(message(timestamp=None)), {}, TIME),
    ("no time but the one that is told", message(timestamp=None), {"received_at": TIME}, TIME),
]  # fmt: skip


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("options", [{}, {"received_at": TIME}], ids=["nobody told", "told when received"])
def test_when_it_happened(home: Home, options: dict[str, Any]) -> None:
    """By our clock, where both clocks are known."""
    clocks = [(name, delivery, wanted) for name, delivery, given, wanted in CLOCKS if given == options]
    found = events_of(home, [delivery for _, delivery, _ in clocks], **options)
    assert {name: event["occurred_at"] for (name, *_), event in zip(clocks, found, strict=True)} == {
        name: wanted for name, _, wanted in clocks
    }


REFUSED: list[tuple[str, Any, str, str]] = [
    ("no object", "3", "not_an_object", "a message is a JSON object (line 1)"),
    ("no call", {"error": {}}, "missing_field", "type is missing (line 1)"),
    ("nobody's", {"name": "Ada", "timestamp": "2026-01-30T12:00:00Z"}, "missing_field", "type is missing (line 1)"),
    ("an event of ours", {**event(), "traits": {"a": 1}}, "missing_field", "type is missing (line 1)"),
    ("another call", message(type="merge"), "unknown_value", "'merge' is not one of identify, track, page"),
    ("a type that is no text", message(type=3), "unknown_value", "type is not one of"),
    ("track without event", call("track"), "missing_field", "event is missing, which a track call needs (line 1)"),
    ("group without groupId", call("group"), "missing_field", "groupId is missing"),
    ("alias without previousId", call("alias"), "missing_field", "previousId is missing"),
    ("no time", message(timestamp=None), "missing_field", "nothing says when the message was received (--received-at)"),
    ("a number for an id", message(userId=7), "type_mismatch", "user_id is not a valid string"),
    ("a blank id", message(userId=" "), "empty_id", "user_id is empty"),
    ("an empty event", message(event=""), "empty_id", "event_type is empty"),
    ("two spellings", message(user_id="eve"), "duplicate_key", "'user_id' and its other spelling"),
    ("a text for traits", message(traits="x"), "type_mismatch", "traits is no JSON object"),
    ("a text for context", message(context="x"), "type_mismatch", "context is no JSON object"),
    ("a list for properties", message(properties=[1]), "type_mismatch", "properties is no JSON object"),
    ("a number for a campaign", message(context={"campaign": {"name": 7}}), "type_mismatch", "utm_campaign is not"),
    ("a number for an address", message(context={"ip": 7}), "type_mismatch", "ip_address is not"),
    ("next year", message(timestamp="2027-01-01T00:00:00Z"), "time_range", "occurred_at"),
    ("in a batch", {"batch": [message(), message(userId=7)]}, "type_mismatch", "(line 1, message 2)"),
    ("strange in a batch", {"batch": [message(), 7]}, "not_an_object", "(line 1, message 2)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory, way: str) -> list[QuarantinedRow]:
    """What waits of a file that holds all that is refused, a delivery a line; the other messages of batches land."""
    home = Home(tmp_path_factory.mktemp(f"refused-{way}") / "home").ensure()
    batches = sum("in a batch" in name for name, *_ in REFUSED)
    assert land_segment(home, *(row[1] for row in REFUSED))[1:] == (1, batches - 1, len(REFUSED))
    return quarantined_rows(home)


@pytest.mark.parametrize(("line", "reason", "detail"), [(n, *row[2:]) for n, row in enumerate(REFUSED, start=1)])
def test_what_is_refused(refused: list[QuarantinedRow], line: int, reason: str, detail: str) -> None:
    """With what is wrong and where it stands."""
    [row] = [row for row in refused if re.search(rf"\(line {line}\b", row.detail)]
    assert row.reason == reason
    assert detail.replace("line 1", f"line {line}") in row.detail


@pytest.mark.usefixtures("way")
def test_a_batch_gives_what_it_says_to_each_message(home: Home) -> None:
    """Context and integrations are merged key by key, a message's own word wins."""
    shared = {"context": {"ip": "10.0.0.1", "locale": "de"}, "integrations": {"All": True}, "writeKey": KEY}
    own = message(messageId="m2", context={"ip": "10.0.0.2", "os": {"name": "x"}}, integrations={"A": False})
    assert land_segment(home, {"batch": [message(), own], **shared}) == (2, 2, 0, 0)
    assert [(ip, json.loads(metadata)) for ip, metadata in landed(home, "ip_address", "metadata")] == [
        ("10.0.0.1", {"context": {"locale": "de"}, "integrations": {"All": True}}),
        ("10.0.0.2", {"context": {"locale": "de", "os": {"name": "x"}}, "integrations": {"A": False, "All": True}}),
    ]


@pytest.mark.usefixtures("way")
def test_messages_are_numbered_through_the_file(home: Home) -> None:
    """A row is a message; what is no JSON is one, an empty batch is none, a blank line is none."""
    three = {"batch": [message(messageId=f"b{number}") for number in range(3)]}
    lines = [message(), b"{", three, b"", {"batch": []}, b'"\xff"', message(messageId="last")]
    assert land_segment(home, *lines) == (7, 5, 0, 2)
    assert landed(home, "row_number", "event_id") == [(1, "m1"), (3, "b0"), (4, "b1"), (5, "b2"), (7, "last")]
    assert [(row.row_number, row.detail.rpartition(" (")[2]) for row in quarantined_rows(home)] == [
        (2, "line 2)"),
        (6, "line 6)"),
    ]


@pytest.mark.parametrize("form", ["array", "pretty", "text"])
def test_other_forms_of_a_file(home: Home, form: str) -> None:
    """Deliveries in an array, over several lines, or as texts in their envelopes."""
    deliveries = [{"batch": [message(), message(messageId="m2", event=None)]}, message(messageId="m3")]
    content = {
        "array": json.dumps(deliveries),
        "pretty": "\n".join(json.dumps(one, indent=2) for one in deliveries),
        "text": "\n".join(json.dumps(envelope(json.dumps(one))) for one in deliveries),
    }[form]
    summary = land(home, content.encode(), "segment.json", writer="segment")
    assert (counts(summary), reasons(summary)) == ((3, 2, 0, 1), {"missing_field": 1})
    assert quarantined_rows(home)[0].detail.endswith(
        "(line 1, message 2)" if form == "text" else "(element 1, message 2)"
    )


def test_tables_are_refused(home: Home) -> None:
    """With one line that says what would be read."""
    summary = land(home, csv(["type"], ["track"]), "segment.csv", writer="segment")
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 1)
    error = "what segment delivers is JSON (.jsonl, .json); gdp ingest events reads CSV and Parquet"
    assert summary.files[0].error == error


@pytest.mark.usefixtures("way")
def test_a_message_lands_later_as_it_would_have_landed(home: Home, tmp_path: Path) -> None:
    """What its batch and its envelope said of it waits with it in quarantine."""
    early = NOW - timedelta(days=29)
    late = message(messageId="m2", timestamp="2026-02-01T13:30:00Z", context={"os": {"name": "x"}})
    batch = {"batch": [message(), late], "context": {"ip": "10.0.0.1"}, "sentAt": "2026-01-30T13:00:00Z"}
    assert land_segment(home, envelope(batch), now=early) == (2, 1, 0, 1)
    other = Home(tmp_path / "other").ensure()
    assert land_segment(other, envelope(batch)) == (2, 2, 0, 0)
    assert replay(home, now=NOW, options=LandOptions(threads=1)).to_json() == {
        "rows_in": 1, "landed": 1, "duplicate": 0, "quarantined": 0, "refused": [],
    }  # fmt: skip
    columns = ("event_id", "occurred_at", "received_at", "sent_at", "ip_address", "metadata", "given", "body_key")
    assert sorted(landed(home, *columns)) == sorted(landed(other, *columns))


def test_an_edited_batch_lands_all_its_messages(home: Home) -> None:
    """A delivery that was quarantined whole may hold several messages once it is put right."""
    raw = json.dumps({"batch": [message(), message(messageId="m2")], "writeKey": KEY})
    assert land_segment(home, raw[:-1]) == (1, 0, 0, 1)
    (row,) = quarantined_rows(home)
    summary = replay(home, now=NOW, options=LandOptions(threads=1), edits={row.id: raw.encode()})
    assert (summary.rows_in, summary.landed, dict(summary.still_refused)) == (2, 2, {})


WITH_KEYS: list[Any] = [
    message(writeKey=KEY),
    message(writeKey=KEY, userId=7),
    {"batch": [message(writeKey=KEY), message(messageId="m2", userId=7)], "writeKey": KEY},
    envelope({"batch": [message(), 3], "writeKey": KEY}),
    json.dumps(message(writeKey=KEY))[:-1],
    json.dumps(message(writeKey=KEY)).replace("writeKey", r"write\u004bey") + "x",
    json.dumps(envelope(json.dumps(message(writeKey=KEY, userId=7)))),
    json.dumps(envelope(json.dumps(message(writeKey=KEY)) + "x")),
    '{"writeKey": ' + KEY + ', "type": "track"}',
    '{"writeKey": "' + KEY,
    json.dumps({"writeKey": KEY + "x" * (1 << 20)}),
    json.dumps({"writeKey": KEY}).encode() + b"\xff",
    json.dumps({"writeKey": KEY}).encode("utf-16-le"),
]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("number", range(len(WITH_KEYS)))
def test_a_write_key_is_kept_nowhere(home: Home, number: int) -> None:
    """Not in landing, not in quarantine, not in the control database, whatever is wrong with the delivery."""
    rows_in, *_ = land_segment(home, WITH_KEYS[number])
    assert rows_in
    for name in files_below(home.root):
        content = (home.root / name).read_bytes()
        assert KEY.encode() not in content
        assert KEY.encode("utf-16-le") not in content
    assert not any(KEY.encode() in row.raw.replace(b"\0", b"") for row in quarantined_rows(home))


def test_the_manifest_says_whose_files_they_are(home: Home) -> None:
    """``segment``, not ``events``."""
    land_segment(home, message())
    assert [file.source_kind for file in landed_files(home.control)] == ["segment"]


def test_what_came_twice_is_counted_once(home: Home) -> None:
    """A retry says the same with the same messageId."""
    assert land_segment(home, message(), {"batch": [message()]}) == (2, 1, 1, 0)


def test_messages_without_an_id_get_one(home: Home) -> None:
    """Equal ones are told apart by their ordinal, and landing them again adds nothing."""
    nameless = message(messageId=None)
    assert land_segment(home, nameless, nameless) == (2, 2, 0, 0)
    assert land_segment(home, nameless, nameless, b"", name="again.jsonl") == (2, 0, 2, 0)


@pytest.mark.skipif(not PAYLOADS.exists(), reason="needs the payloads of the Segment specification")
def test_the_payloads_of_the_specification(home: Home) -> None:
    """Every call lands; what waits are answers of other interfaces, and two times that are no ISO 8601."""
    payloads = [json.loads(line)["payload"] for line in PAYLOADS.read_text().splitlines()]
    no_calls = [
        payload
        for payload in payloads
        if {"error", "data", "metadata"} & payload.keys() or payload.keys() <= {"traits", "cursor"}
    ]
    assert (len(payloads), len(no_calls)) == (104, 14)
    summary = land(home, jsonl(*payloads), "payloads.jsonl", writer="segment", received_at=TIME)
    assert (counts(summary), reasons(summary)) == ((107, 91, 0, 16), {"bad_time": 2, "missing_field": len(no_calls)})
