"""What Segment's and RudderStack's clients send, and which event each call is."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.quarantine import QuarantinedRow, quarantined_rows
from tests.ingest.landings import event
from tests.ingest.segments import TIME, call, envelope, events_of, land_segment, message, nameless
from warehouse.home import Home

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
    ("a null beside the other spelling", message(userId=None, user_id="ada") | {"userId": None}, {"event_type": "x"}),
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
    ("two spellings of its id", message(message_id="m2"), "duplicate_key", "'message_id' and its other spelling"),
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
