"""Deliveries of Segment's and RudderStack's clients: batches, files, what waits of them, and what is kept nowhere."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.options import LandOptions
from ingest.quarantine import quarantined_rows
from ingest.replay import replay
from tests.ingest.landings import NOW, counts, csv, files_below, jsonl, land, landed, reasons
from tests.ingest.segments import KEY, TIME, envelope, land_segment, message
from warehouse.control import landed_files
from warehouse.home import Home

PAYLOADS = Path(__file__).parents[3] / "shared/data/segment_spec/payloads.jsonl"


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
