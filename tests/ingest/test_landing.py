"""What a landed event is: normalised, told apart from its repeats, and the same whatever way it came."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

import ingest.jsonrows
import ingest.reading
from ingest.events import land_files
from ingest.mapping import load_mapping
from ingest.options import LandOptions
from models.landing import BODY_COLUMNS, EVENT_COLUMNS
from tests.ingest.landings import NOW, UTC, counts, csv, event, files_below, jsonl, land, landed, reasons
from warehouse.control import inputs, landed_files
from warehouse.files import sha256_file
from warehouse.home import Home

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)


def test_a_landing_file_has_exactly_the_columns_of_the_model(home: Home) -> None:
    """Names, order and types; the manifest describes the file."""
    land(home, jsonl(event(), event(eventId="e2", timestamp="2026-02-01T00:00:00Z")))
    (file,) = landed_files(home.control)
    path = home.root / file.path
    with duckdb.connect() as connection:
        described = connection.execute(f"describe from '{path}'").fetchall()
    types = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}
    assert [(name, types.get(type_, type_)) for name, type_, *_ in described] == [
        (column.name, column.type) for column in EVENT_COLUMNS
    ]
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.path == "landing/event/0000000001.parquet"
    assert (file.batch_seq, file.entity, file.rows, file.landed_at) == (1, "event", 2, NOW)
    assert (file.bytes, file.sha256) == (path.stat().st_size, sha256_file(path))
    assert (file.min_occurred_at, file.max_occurred_at) == (NOON, datetime(2026, 2, 1, tzinfo=UTC))
    assert path.stat().st_mode & 0o777 == 0o600


def test_identifiers_are_normalised_and_kept_as_given(home: Home) -> None:
    """Trimmed, NFC, e-mails and event types in lower case; what changed is in ``given``."""
    one = event(
        eventId=" e1 ",
        eventType="Video Rendered",
        email="Ada@Example.ORG",
        anonymousId="A\u030a",
        identifiers={"stripeId": "cus_1", "email_sha256": "AB" * 32, "crm": " K 1 ", "aaa": "x"},
    )
    land(home, jsonl(one))
    columns = ("event_id", "event_type", "email", "anonymous_id", "stripe_id", "email_sha256", "custom_ids")
    assert landed(home, *columns) == [
        ("e1", "video rendered", "ada@example.org", "Å", "cus_1", "ab" * 32, '{"aaa":"x","crm":"K 1"}')
    ]
    ((given,),) = landed(home, "given")
    assert json.loads(given) == {
        "event_id": " e1 ",
        "event_type": "Video Rendered",
        "anonymous_id": "A\u030a",
        "email": "Ada@Example.ORG",
        "email_sha256": "AB" * 32,
        "custom:crm": " K 1 ",
    }


@pytest.mark.parametrize("email", ["nobody", "a@b@c", "a b@c", "ada@x\u200b.org", "@x.org", '"a b"@x.org'])
def test_what_is_no_address_links_nobody(home: Home, email: str) -> None:
    """The event lands; the text is kept beside it."""
    assert counts(land(home, jsonl(event(email=email)))) == (1, 1, 0, 0)
    assert landed(home, "email", "given") == [
        (None, json.dumps({"email": email}, ensure_ascii=False, separators=(",", ":")))
    ]


@pytest.mark.parametrize("email", ["a+tag@gmail.com", "ü@exämple.org", "a@localhost"])
def test_addresses_are_not_guessed_at(home: Home, email: str) -> None:
    """A tag or an international domain is part of the address."""
    land(home, jsonl(event(email=email)))
    assert landed(home, "email", "given") == [(email, None)]


def test_clock_skew_is_corrected_where_both_clocks_are_known(home: Home) -> None:
    """received − (sent − original); with one of them alone the client's time stands."""
    late = {"sentAt": "2026-01-30T12:00:10Z", "receivedAt": "2026-01-30T13:00:10Z"}
    land(
        home,
        jsonl(
            event(**late),
            event(eventId="e2", sentAt=late["sentAt"]),
            event(eventId="e3", receivedAt=late["receivedAt"]),
            event(
                eventId="e4",
                timestamp="1970-01-01T00:00:05Z",
                sentAt="1970-01-01T00:00:10Z",
                receivedAt="2026-01-30T12:00:05Z",
            ),
            event(eventId="e5", sentAt=late["sentAt"], receivedAt=late["sentAt"]),
        ),
    )
    one = datetime(2026, 1, 30, 13, tzinfo=UTC)
    assert sorted(landed(home, "event_id", "occurred_at", "given")) == [
        ("e1", one, '{"occurred_at":"2026-01-30T12:00:00.000000Z"}'),
        ("e2", NOON, None),
        ("e3", NOON, None),
        ("e4", NOON, '{"occurred_at":"1970-01-01T00:00:05.000000Z"}'),
        ("e5", NOON, None),
    ]


def test_the_source_is_the_events_own_or_the_one_that_is_named(home: Home) -> None:
    """--source speaks for events that say nothing."""
    land(home, jsonl(event(), event(source="stripe")), source="segment")
    assert landed(home, "source") == [("segment",), ("stripe",)]
    land(home, csv(["user", "event", "time"], ["a", "x", "2026-01-30T12:00:00Z"]), "a.csv", source="app")
    assert landed(home, "source")[-1] == ("app",)


def test_an_event_without_identifiers_lands(home: Home) -> None:
    """It is nobody's, and it is not lost."""
    assert counts(land(home, jsonl(event(personId=None)))) == (1, 1, 0, 0)


def test_events_without_ids_get_ids_of_their_content(home: Home) -> None:
    """Equal ones are told apart by their order; the same events in another file repeat them."""
    one, other = event(eventId=None), event(eventId=None, personId="bob")
    assert counts(land(home, jsonl(one, one, event(), other))) == (4, 4, 0, 0)
    ids = sorted(event_id for (event_id,) in landed(home, "event_id"))
    assert [event_id[-2:] for event_id in ids if event_id != "e1"].count("-2") == 1
    assert counts(land(home, jsonl(other, one), "b.jsonl")) == (2, 0, 2, 0)


REPEATS: list[tuple[str, list[dict[str, Any]], tuple[int, int]]] = [
    ("the same twice", [{}, {}], (1, 1)),
    ("another body", [{}, {"properties": {"a": 1}}], (2, 0)),
    ("another source", [{}, {"source": "custom"}], (2, 0)),
    ("another spelling", [{"eventType": "X"}, {"eventType": "x"}], (2, 0)),
    ("received later", [{"receivedAt": "2026-01-30T13:00:00Z"}, {"receivedAt": "2026-01-30T14:00:00Z"}], (1, 1)),
    ("received at once", [{"receivedAt": "2026-01-30T13:00:00Z"}, {"receivedAt": "2026-01-30T13:00:00Z"}], (1, 1)),
    ("received and not known when", [{"receivedAt": "2026-01-30T13:00:00Z"}, {}], (2, 0)),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in REPEATS], ids=[row[0] for row in REPEATS])
@pytest.mark.parametrize("files", [1, 2])
def test_a_row_that_changes_nothing_is_a_duplicate(
    home: Home, changes: list[dict[str, Any]], expected: tuple[int, int], files: int
) -> None:
    """Same source, id and body, received no later: in one file or in two."""
    events = [event(**change) for change in changes]
    if files == 1:
        summary = land(home, jsonl(*events))
        found = (summary.landed, summary.duplicate)
    else:
        parts = [land(home, jsonl(one), f"{number}.jsonl") for number, one in enumerate(events)]
        # The very same bytes are a duplicate as a file already.
        found = (sum(part.landed for part in parts), sum(part.duplicate for part in parts))
    assert found == expected


def test_a_repeat_that_was_received_earlier_lands(home: Home) -> None:
    """It would win over the one that is there."""
    land(home, jsonl(event(receivedAt="2026-01-30T14:00:00Z")))
    assert counts(land(home, jsonl(event(receivedAt="2026-01-30T13:00:00Z")), "b.jsonl")) == (1, 1, 0, 0)


def test_the_same_file_lands_once_and_under_another_mapping_again(home: Home) -> None:
    """The bytes and the way of reading them are the key."""
    content = csv(["user", "event", "time", "alias"], ["ada", "x", "2026-01-30T12:00:00Z", "al"])
    assert counts(land(home, content, "a.csv")) == (1, 1, 0, 0)
    before = files_below(home.root)
    assert counts(land(home, content, "a.csv")) == (1, 0, 1, 0)
    assert counts(land(home, content, "copy.csv")) == (1, 0, 1, 0)
    assert files_below(home.root) == before
    assert counts(land(home, content, "a.csv", mapping=load_mapping(["user_id=alias"]))) == (1, 1, 0, 0)
    assert [record.landed for record in inputs(home.control)] == [1, 1]


def test_a_file_of_nothing_but_refused_rows_is_known_too(home: Home) -> None:
    """Its rows are counted as duplicates, not refused twice."""
    assert counts(land(home, jsonl("nope", "{}"))) == (2, 0, 0, 2)
    assert counts(land(home, jsonl("nope", "{}"))) == (2, 0, 2, 0)
    assert files_below(home.quarantine) == ["0000000001.parquet"]


def test_all_forms_give_the_same_body(home: Home) -> None:
    """An event that came as JSON is not new as CSV or Parquet."""
    plain = {
        "source": "custom",
        "event_id": "e1",
        "event_type": "X",
        "user_id": "ada",
        "occurred_at": "2026-01-30T12:00:00Z",
    }
    assert counts(land(home, jsonl({**plain, "codec": "av1", "b": "c"}))) == (1, 1, 0, 0)
    content = csv([*plain, "codec", "b"], [*plain.values(), "av1", "c"])
    assert counts(land(home, content, "a.csv")) == (1, 0, 1, 0)
    assert counts(land(home, content, "b.csv", trusted=True)) == (1, 0, 1, 0)
    assert counts(land(home, json.dumps([{**plain, "properties": {"b": "c", "codec": "av1"}}]).encode(), "a.json")) == (
        1,
        0,
        1,
        0,
    )


def test_the_body_key_is_the_documented_hash(home: Home) -> None:
    """60 bits of an MD5 over the columns of the body in their order, joined by NUL, times in microseconds.

    The digest is read as a number whose lowest byte comes first.
    """
    land(home, jsonl(event(properties={"a": 1}, sentAt="2026-01-30T12:00:01Z")))
    names = [column.name for column in BODY_COLUMNS]
    (row,) = landed(home, *names, "body_key")
    *values, key = row
    texts = [
        str(int(value.timestamp() * 1_000_000)) if isinstance(value, datetime) else value or "" for value in values
    ]
    digest = hashlib.md5("\0".join(texts).encode()).digest()
    assert key == int.from_bytes(digest, "little") % 2**60


@pytest.mark.parametrize("rows", [7, 8, 21])
def test_however_a_file_is_cut_into_batches_the_rows_are_the_same(
    home: Home, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Repeats and equal rows are found across the batches of one file."""
    events = [event(eventId=f"e{number % 5}", properties={"n": number % 5}) for number in range(rows)]
    unnamed = [event(eventId=None, personId=f"p{number % 3}") for number in range(rows)]
    whole = Home(home.root.parent / "whole").ensure()
    expected = [land(whole, jsonl(*events)), land(whole, jsonl(*unnamed), "b.jsonl")]
    monkeypatch.setattr(ingest.jsonrows, "_SLICE_LINES", 1)
    monkeypatch.setattr(ingest.jsonrows, "BATCH_BYTES", 4)
    monkeypatch.setattr("ingest.jsongate.BLOCK_BYTES", 300)
    found = [land(home, jsonl(*events)), land(home, jsonl(*unnamed), "b.jsonl")]
    assert [counts(summary) for summary in found] == [counts(summary) for summary in expected]
    assert counts(found[0]) == (rows, 5, rows - 5, 0)
    assert len(landed_files(home.control)) > 2
    assert sorted(landed(home, "event_id", "body_key")) == sorted(landed(whole, "event_id", "body_key"))


def test_a_json_file_lands_in_files_of_growing_size(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is written early, while the rest is read; each may hold twice as many lines as the one before."""
    monkeypatch.setattr(ingest.jsonrows, "FIRST_BATCH_LINES", 1)
    monkeypatch.setattr(ingest.jsonrows, "BATCH_LINES", 4)
    monkeypatch.setattr(ingest.jsonrows, "TEMPLATE_LINES", 1)
    monkeypatch.setattr("ingest.jsongate.BLOCK_BYTES", 1)
    land(home, jsonl(*(event(eventId=f"e{number}") for number in range(12))))
    assert [file.rows for file in landed_files(home.control)] == [1, 2, 4, 4, 1]


def test_csv_in_batches(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Computed ids go on counting from batch to batch, and do so again in another file."""
    monkeypatch.setattr("ingest.csvfile.BLOCK_BYTES", 60)
    monkeypatch.setattr(ingest.reading, "_BATCH_ROWS", 2)
    row = ["ada", "x", "2026-01-30T12:00:00Z"]
    assert counts(land(home, csv(["user", "event", "time"], *[row] * 5), "a.csv")) == (5, 5, 0, 0)
    assert sorted(event_id[-2:] for (event_id,) in landed(home, "event_id")) == ["-1", "-2", "-3", "-4", "-5"]
    assert counts(land(home, csv(["user", "event", "time"], *[row] * 6, ["bob", *row[1:]]), "b.csv")) == (7, 2, 5, 0)


def test_json_with_keys_of_its_own_takes_a_mapping(home: Home) -> None:
    """Each key is a column; the checks of JSON hold, and values keep their types."""
    content = jsonl(
        {"uid": 7, "what": "x", "at": 1769774400, "price": 1.50, "tags": ["a"], "who": {"plan": "pro"}},
        {"uid": "8", "what": "y", "at": "2026-01-30 12:00", "extra": None},
        '{"uid": 9, "uid": 9, "what": "x", "at": 1}',
        {"uid": 10, "what": "x"},
        {"uid": 11, "what": 5, "at": "2026-01-30T12:00:00Z"},
        "[]",
        {"uid": 12, "what": "x", "at": "2026-01-30T12:00:00Z", "UID": 13},
    )
    mapping = load_mapping(["user_id=uid,event_type=what,timestamp=at,traits.note=note"])
    summary = land(home, content, mapping=mapping)
    assert (counts(summary), reasons(summary)) == (
        (7, 3, 0, 4),
        {"duplicate_key": 2, "missing_field": 1, "not_an_object": 1},
    )
    assert landed(home, "row_number", "user_id", "event_type", "occurred_at", "properties") == [
        (1, "7", "x", NOON, '{"price":1.5,"tags":["a"],"who":{"plan":"pro"}}'),
        (2, "8", "y", NOON, "{}"),
        (5, "11", "5", NOON, "{}"),
    ]


def test_everything_stays_inside_the_home(home: Home) -> None:
    """Nothing is left in staging, nothing is readable by others."""
    land(home, jsonl(event(), "nope"))
    assert files_below(home.root) == [
        "control.sqlite",
        "landing/event/0000000001.parquet",
        "locks/landing",
        "quarantine/0000000001.parquet",
    ]
    assert {path.stat().st_mode & 0o077 for path in home.root.rglob("*")} == {0}


def test_a_home_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    """Landed files are found again to tell repeats."""
    home = Home(tmp_path / "a[1]*'?" / "home").ensure()
    assert counts(land(home, jsonl(event()))) == (1, 1, 0, 0)
    assert counts(land(home, jsonl(event(), event(eventId="e2")), "b.jsonl")) == (2, 1, 1, 0)


def test_counts_always_add_up(home: Home) -> None:
    """In each file and in total."""
    folder = home.root.parent / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(jsonl(event(), event(), "x"))
    (folder / "b.csv").write_bytes(csv(["user", "event", "time"], ["a", "x", "2026-01-30T12:00:00Z"], ["a", "", ""]))
    (folder / "c.json").write_bytes(b"[" + json.dumps(event()).encode() + b", 1]")
    summary = land_files(home, [folder, folder / "a.jsonl"], LandOptions(threads=1), now=NOW)
    assert summary.to_json() == {
        "rows_in": 7,
        "landed": 2,
        "duplicate": 2,
        "quarantined": 3,
        "files": [
            {
                "path": str(folder / "a.jsonl"),
                "rows_in": 3,
                "landed": 1,
                "duplicate": 1,
                "quarantined": 1,
                "reasons": {"not_json": 1},
            },
            {
                "path": str(folder / "b.csv"),
                "rows_in": 2,
                "landed": 1,
                "duplicate": 0,
                "quarantined": 1,
                "reasons": {"missing_field": 1},
            },
            {
                "path": str(folder / "c.json"),
                "rows_in": 2,
                "landed": 0,
                "duplicate": 1,
                "quarantined": 1,
                "reasons": {"not_an_object": 1},
            },
        ],
    }
