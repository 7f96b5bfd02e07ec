"""CSV files: a plain log takes one command, odd rows wait, broken files land nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.mapping import Mapping, load_mapping
from ingest.quarantine import quarantined_rows
from tests.ingest.landings import UTC, counts, csv, land, landed, reasons
from warehouse.home import Home

LOG = csv(
    ["user", "event", "time", "plan", "seconds"],
    ["ada", "Signup Completed", "2026-01-30T12:00:00Z", "pro", 12],
    ["bob", "video_rendered", "2026-01-30 12:30:00", "", "007"],
)


def test_a_plain_log_takes_one_command(home: Home) -> None:
    """user, event and time are found by their names, the other columns become properties, text as it stands."""
    summary = land(home, LOG, "log.csv")
    assert (counts(summary), summary.exit_code) == ((2, 2, 0, 0), 0)
    assert landed(home, "row_number", "source", "user_id", "event_type", "occurred_at", "properties", "given") == [
        (
            *(1, "custom", "ada", "signup completed", datetime(2026, 1, 30, 12, tzinfo=UTC)),
            '{"plan":"pro","seconds":"12"}',
            '{"event_type":"Signup Completed"}',
        ),
        (
            *(2, "custom", "bob", "video_rendered", datetime(2026, 1, 30, 12, 30, tzinfo=UTC)),
            '{"seconds":"007"}',
            None,
        ),
    ]


def test_naive_times_are_in_the_zone_that_is_named_and_the_summary_says_so(home: Home) -> None:
    """--tz holds for times without a zone and for no other."""
    summary = land(home, LOG, "log.csv", tz="America/New_York")
    assert summary.files[0].notes == ("times without a zone were read as America/New_York",)
    assert [moment.hour for (moment,) in landed(home, "occurred_at")] == [12, 17]


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-01-15 12:00:00", "2026-01-15 11:00:00"),
        ("2025-07-15", "2025-07-14 22:00:00"),
        ("2025-03-30 02:30", "2025-03-30 01:30:00"),
        ("2025-10-26 02:30:00", "2025-10-26 01:30:00"),
        ("2025-10-26 01:59:59.9999999", "2025-10-25 23:59:59.999999"),
    ],
)
def test_local_times_that_clocks_skip_or_show_twice(home: Home, local: str, utc: str) -> None:
    """A skipped time is moved forward by what was skipped, and counted; one that is shown twice is the second."""
    summary = land(home, csv(["user", "event", "time"], ["ada", "x", local]), "log.csv", tz="Europe/Berlin")
    skipped = "times in an hour that the clocks of Europe/Berlin skipped, moved forward by it: 1"
    assert (skipped in summary.files[0].notes) == (local == "2025-03-30 02:30")
    assert landed(home, "occurred_at") == [(datetime.fromisoformat(utc).replace(tzinfo=UTC),)]


@pytest.mark.parametrize(
    ("time", "detail"),
    [
        ("2026-02-30T12:00:00Z", "there is no such time"),
        ("2026-01-30T12:00:00+19:00", "its zone is more than 18 hours from UTC"),
        ("2026-02-30 12:00", "there is no such time"),
        ("13/02/2026", "a time is written as 2026-01-31 12:00:00 or is an epoch number; a mapping file can name"),
    ],
)
def test_why_a_time_is_none(home: Home, time: str, detail: str) -> None:
    """Nobody is told to add a zone that is there, or that is not needed."""
    land(home, csv(["user", "event", "time"], ["ada", "x", time]), "log.csv")
    (row,) = quarantined_rows(home)
    assert (row.reason, detail in row.detail, "needs a zone" in row.detail) == ("bad_time", True, False)


@pytest.mark.parametrize("header", ["userid", "User ID", "distinct_id", "customer", "personId", "uid"])
@pytest.mark.parametrize("event_header", ["eventName", "EVENT_TYPE", "name", "action"])
@pytest.mark.parametrize("time_header", ["timestamp", "ts", "Date", "at", "createdAt", "occurredAt"])
def test_usual_headers_are_understood(header: str, event_header: str, time_header: str) -> None:
    """Case and separators do not matter."""
    from ingest.headers import lay_out
    from ingest.mapping import Mapping

    columns = lay_out(Mapping(), [header, event_header, time_header]).columns
    assert columns == {"user_id": header, "event_type": event_header, "occurred_at": time_header}


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (["user", "event"], "no column for occurred_at: give --map occurred_at=COLUMN (columns: user, event)"),
        (["a", "b"], "no column for event_type: give --map event_type=COLUMN (columns: a, b)"),
        (
            ["user", "event", "time", "ts"],
            "more than one column may be occurred_at: give --map occurred_at=time or --map occurred_at=ts",
        ),
        (
            ["user", "event", "at", "created_at"],
            "more than one column may be occurred_at: give --map occurred_at=at or --map occurred_at=created_at",
        ),
        (
            ["user_id", "userId", "event", "time"],
            "more than one column may be user_id: give --map user_id=user_id or --map user_id=userId",
        ),
    ],
)
def test_a_header_that_does_not_say_what_is_what(home: Home, header: list[str], error: str) -> None:
    """Exit code 2, and the message has the --map that would help."""
    summary = land(home, csv(header, ["x"] * len(header)), "log.csv")
    assert (counts(summary), summary.exit_code, summary.files[0].error) == ((0, 0, 0, 0), 2, error)


BROKEN: list[tuple[str, bytes, str]] = [
    ("D04 a header twice", b"user,event,time,event\n", "the header names 'event' twice"),
    ("a blank first line", b"\nuser,event,time\nada,x,2026-01-30T12:00:00Z\n", "no header: the first line is empty"),
    ("a header in Latin-1", b"user,\xe9vent,time\n", "the header is not UTF-8 (invalid continuation byte)"),
    ("a header with an open quote", b'user,"event,time\nada,x,y\n', "no header: the first line is no row of CSV"),
]


@pytest.mark.parametrize(("content", "error"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
@pytest.mark.parametrize("trusted", [False, True])
def test_a_file_without_a_header_lands_nothing(home: Home, content: bytes, error: str, trusted: bool) -> None:
    """One line says what is wrong."""
    summary = land(home, content, "log.csv", trusted=trusted)
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 1)
    assert (summary.files[0].error or "").startswith(error)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\r\n"], ids=["nothing", "a mark", "blank lines"])
@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
@pytest.mark.parametrize("trusted", [False, True])
def test_an_empty_file_is_a_file_without_rows(home: Home, content: bytes, name: str, trusted: bool) -> None:
    """D01: nothing to land, nothing wrong, as with an empty JSONL file."""
    summary = land(home, gzip.compress(content) if name.endswith("gz") else content, name, trusted=trusted)
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 0)


BROKEN_ROWS: list[tuple[str, bytes, str, bytes]] = [
    ("text behind a quote", b'bob,"x"y,2026-01-30T12:00:00Z', "broken_quotes", b'bob,"x"y,2026-01-30T12:00:00Z'),
    ("D09 a quote that is not closed", b'bob,"x,2026-01-30T12:00:00Z', "broken_quotes", b'bob,"x,2026-01-30T12:00:00Z'),
    ("D06 Latin-1", b"bob,caf\xe9,2026-01-30T12:00:00Z", "bad_unicode", b"bob,caf\xe9,2026-01-30T12:00:00Z"),
    ("a giant cell", b"bob,x," + b"y" * (5 << 20), "too_large", b"bob,x," + b"y" * 4090),
    ("a giant cell in quotes", b'bob,"' + b"y" * (5 << 20) + b'",z', "too_large", b'bob,"' + b"y" * 4091),
]


@pytest.mark.parametrize(("row", "reason", "raw"), [row[1:] for row in BROKEN_ROWS], ids=[r[0] for r in BROKEN_ROWS])
@pytest.mark.parametrize(("newline", "trusted"), [(b"\n", False), (b"\r\n", True)])
def test_a_broken_line_waits_and_the_others_land(
    home: Home, row: bytes, reason: str, raw: bytes, newline: bytes, trusted: bool
) -> None:
    """Reading goes on at the next line; the number of the line is told, wherever in a large file it is."""
    good = [f"ada{n},x,2026-01-30T12:00:00Z".encode() for n in range(300)]
    two_lines = b'cyd,"x' + newline + b'y",2026-01-30T12:00:00Z'
    content = newline.join([b"user,event,time", two_lines, *good, row, b"", *good, b'dan,"x, y",2026-01-30T12:00:00Z'])
    summary = land(home, content, "log.csv", trusted=trusted)
    assert (counts(summary), reasons(summary)) == ((603, 602, 0, 1), {reason: 1})
    (refused,) = quarantined_rows(home)
    assert (refused.row_number, refused.raw) == (302, raw)
    assert "(line 304)" in refused.detail
    assert landed(home, "row_number", "user_id", "event_type")[-1] == (603, "dan", "x, y")


def test_a_quote_that_is_never_closed_loses_no_row(home: Home) -> None:
    """Each such line is refused by itself, and what is behind it is read as rows."""
    rows = [b'bob,"x,2026-01-30T12:00:00Z', b"ada,x,2026-01-30T12:00:00Z"] * 2 + [b'cyd,x,"2026']
    summary = land(home, b"\n".join([b"user,event,time", *rows]), "log.csv")
    assert (counts(summary), reasons(summary)) == ((5, 2, 0, 3), {"broken_quotes": 3})
    assert landed(home, "row_number") == [(2,), (4,)]


def test_rows_that_do_not_fit_wait_and_the_others_land(home: Home) -> None:
    """D07, D08, D12, D14: each refused row has its number and its cells."""
    content = (
        b"user,event,time,x\n"
        b"ada,a,2026-01-30T12:00:00Z,1\n"
        b"bob,b,2026-01-30T12:00:00Z\n"
        b"cyd,c,2026-01-30T12:00:00Z,1,2\n"
        b"d\x00d,d,2026-01-30T12:00:00Z,1\n"
        b"eve,e,13/02/2026,1\n"
        b"fay,,2026-01-30T12:00:00Z,1\n"
        b"gus,g,,1\n"
        b"hal,h,2026-01-30T12:00:00Z,nan\n"
        b",i,1999-12-31,1\n"
        b"\n"
        b'"jay","j, ""k""",2026-01-30T12:00:00Z,"two\nlines"\n'
    )
    summary = land(home, content, "log.csv")
    assert (counts(summary), reasons(summary)) == (
        (10, 3, 0, 7),
        {"bad_time": 1, "missing_field": 2, "nul": 1, "ragged_row": 2, "time_range": 1},
    )
    assert landed(home, "row_number", "user_id", "event_type", "properties") == [
        (1, "ada", "a", '{"x":"1"}'),
        (8, "hal", "h", '{"x":"nan"}'),
        (10, "jay", 'j, "k"', r'{"x":"two\nlines"}'),
    ]
    assert {(row.row_number, row.reason, row.text) for row in quarantined_rows(home)} >= {
        (2, "ragged_row", '["bob", "b", "2026-01-30T12:00:00Z"]'),
        (5, "bad_time", '{"user":"eve","event":"e","time":"13/02/2026","x":"1"}'),
        (6, "missing_field", '{"user":"fay","time":"2026-01-30T12:00:00Z","x":"1"}'),
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfuser,event,time\r\nada,x,2026-01-30T12:00:00Z\r\n", "ada"),
        (b"user;event;time;price\nada;x;2026-01-30T12:00:00Z;1,5\n", "ada"),
        (b"user\tevent\ttime\nada\tx\t2026-01-30T12:00:00Z\n", "ada"),
        (b"user|event|time\r\nada|x|2026-01-30T12:00:00Z\n", "ada"),
        (b" user , event , time \n ada , x , 2026-01-30T12:00:00Z \n", "ada"),
        (b"user,event,time\n007,x,2026-01-30T12:00:00Z\n", "007"),
        ("user,event,time\nA\u030aGE,x,2026-01-30T12:00:00Z\n".encode(), "ÅGE"),
    ],
    ids=["byte order mark", "semicolon", "tab", "mixed line ends", "spaces", "leading zeros", "NFD"],
)
@pytest.mark.parametrize("compress", [False, True])
def test_dialects(home: Home, content: bytes, expected: str, compress: bool) -> None:
    """D05, D10, D11, D13: the delimiter is the header's, ids are text."""
    name = "log.csv.gz" if compress else "log.csv"
    assert counts(land(home, gzip.compress(content) if compress else content, name)) == (1, 1, 0, 0)
    assert landed(home, "user_id") == [(expected,)]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_trusted_file_lands_whatever_its_line_ends_are(home: Home, newline: str) -> None:
    """No row is passed over."""
    rows = ["user,event,time", "ada,x,2026-01-30T12:00:00Z", 'bob,"x;y",2026-01-30T12:00:00Z', ""]
    assert counts(land(home, newline.join(rows).encode(), "log.csv", trusted=True)) == (2, 2, 0, 0)


def test_only_a_header_is_a_file_without_rows(home: Home) -> None:
    """D02: nothing to land, nothing wrong."""
    summary = land(home, b"user,event,time\n", "log.csv")
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 0)


def test_ids_are_made_of_the_row_and_tell_equal_rows_apart(home: Home) -> None:
    """SHA-256 of the row and its ordinal among equal rows: whatever the columns' order, the name or the batch."""
    row = ["ada", "x", "2026-01-30T12:00:00Z", "1"]
    content = csv(["user", "event", "time", "n"], row, row, ["bob", *row[1:]], row)
    assert counts(land(home, content, "a.csv")) == (4, 4, 0, 0)
    ids = [event_id for (event_id,) in landed(home, "event_id")]
    digest = ids[0].partition("-")[0]
    assert len(digest) == 32
    assert ids == [f"{digest}-1", f"{digest}-2", ids[2], f"{digest}-3"]

    turned = csv(["n", "time", "event", "user"], *[list(reversed(row))] * 4)
    assert counts(land(home, turned, "b.csv")) == (4, 1, 3, 0)
    assert f"{digest}-4" in {event_id for (event_id,) in landed(home, "event_id")}


def test_the_computed_id_is_the_documented_hash(home: Home) -> None:
    """SHA-256 over the landed columns in their order, joined by NUL, times as microseconds."""
    land(home, csv(["user", "event", "time"], ["ada", "x", "1970-01-02T00:00:00Z"]), "a.csv")
    assert landed(home, "event_id") == []
    land(home, csv(["user", "event", "time"], ["ada", "x", "2026-01-30T12:00:00Z"]), "b.csv")
    parts = ["custom", "", "", "x", "", "1769774400000000", "", "ada", *[""] * 17, "{}", "", "", "", ""]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    assert landed(home, "event_id") == [(f"{digest}-1",)]


@pytest.mark.parametrize("trusted", [False, True])
def test_trusted_and_checked_files_give_the_same_rows(home: Home, trusted: bool) -> None:
    """What lands trusted lands again as a duplicate when it is checked, and the other way round."""
    rows: list[list[Any]] = [
        ["e1", "ada", "X", "2026-01-30T12:00:00Z", 1, "a"],
        ["e2", "bob", "y", "2026-01-30 13:00:00+01", 2, ""],
    ]
    first = csv(["event_id", "user_id", "event_type", "occurred_at", "n", "t"], *rows)
    assert counts(land(home, first, "a.csv", trusted=trusted)) == (2, 2, 0, 0)
    assert counts(land(home, first + b"e3,cyd,z,2026-01-30T12:00:00Z,3,c\n", "b.csv", trusted=not trusted)) == (
        3,
        1,
        2,
        0,
    )


def test_a_trusted_file_still_is_counted_cleaned_and_checked_for_what_must_be(home: Home) -> None:
    """Rows without type, id or time wait; a file that DuckDB does not read is read by the exact reader."""
    content = csv(
        ["event_id", "user_id", "event_type", "occurred_at"],
        ["e1", "ada", "x", "2026-01-30T12:00:00Z"],
        ["e1", "ada", "x", "2026-01-30T12:00:00Z"],
        ["", "ada", "x", "2026-01-30T12:00:00Z"],
        ["e3", "ada", "", "2026-01-30T12:00:00Z"],
        ["e4", "ada", "x", ""],
        ["e5", "ada", "x", "soon"],
        ["e6", "ada", "x", "1999-01-01T00:00:00Z"],
    )
    summary = land(home, content, "a.csv", trusted=True)
    assert (counts(summary), reasons(summary)) == (
        (7, 1, 1, 5),
        {"bad_time": 1, "missing_field": 3, "time_range": 1},
    )
    assert all("its row is not known" in row.detail for row in quarantined_rows(home))
    ragged = content + b"e7,ada\n"
    assert reasons(land(home, ragged, "b.csv", trusted=True))["ragged_row"] == 1


def test_our_own_form_is_recognised(home: Home) -> None:
    """With event_id and event_type in the header, source and category are ours; else they are properties."""
    ours = csv(
        ["event_id", "event_type", "time", "source", "category"],
        ["e1", "x", "2026-01-30T12:00:00Z", "app", "activation"],
    )
    foreign = csv(["id", "event", "time", "source", "category"], ["e2", "x", "2026-01-30T12:00:00Z", "google", "shoes"])
    land(home, ours, "a.csv")
    land(home, foreign, "b.csv")
    assert landed(home, "source", "category", "properties") == [
        ("app", "activation", "{}"),
        ("custom", None, '{"category":"shoes","id":"e2","source":"google"}'),
    ]


@pytest.mark.parametrize("trusted", [False, True])
def test_a_column_may_be_called_as_our_row_numbers_are(home: Home, trusted: bool) -> None:
    """It is a property like any other."""
    rows = csv(["event_id", "event", "time", "Row_Number"], ["e1", "x", "2026-01-30T12:00:00Z", 7])
    assert counts(land(home, rows, "a.csv", trusted=trusted)) == (1, 1, 0, 0)
    buffer = io.BytesIO()
    table = {"event_id": ["e2"], "event": ["x"], "time": ["2026-01-30T12:00:00Z"], "row_number": ["7"]}
    pq.write_table(pa.table(table), buffer)
    assert counts(land(home, buffer.getvalue(), "a.parquet", trusted=trusted)) == (1, 1, 0, 0)
    record = {"id": "e3", "event": "x", "time": "2026-01-30T12:00:00Z", "row_number": "7"}
    mapping = load_mapping(["event_id=id"])
    assert counts(land(home, json.dumps(record).encode(), "a.jsonl", mapping=mapping)) == (1, 1, 0, 0)
    assert landed(home, "event_id", "properties") == [
        ("e1", '{"Row_Number":"7"}'),
        ("e2", '{"row_number":"7"}'),
        ("e3", '{"row_number":"7"}'),
    ]


def test_an_objects_column_of_any_log_is_taken_apart(home: Home) -> None:
    """properties and metadata are the event's; what is beside them joins in, and what contradicts them waits."""
    content = (
        b"user,event,time,plan,properties,metadata\n"
        b'ada,a,2026-01-30T12:00:00Z,pro,"{""n"": 1, ""ok"": true}","{""lib"": ""x""}"\n'
        b"bob,b,2026-01-30T12:00:00Z,pro,,\n"
        b'cyd,c,2026-01-30T12:00:00Z,pro,"{""plan"": ""free""}",\n'
        b'dan,d,2026-01-30T12:00:00Z,pro,"{""plan"": ""pro""}",\n'
        b"eve,e,2026-01-30T12:00:00Z,pro,three rooms,\n"
    )
    summary = land(home, content, "log.csv")
    assert (counts(summary), reasons(summary)) == ((5, 3, 0, 2), {"duplicate_key": 1, "not_json": 1})
    assert sorted(landed(home, "user_id", "properties", "metadata")) == [
        ("ada", '{"n":1,"ok":true,"plan":"pro"}', '{"lib":"x"}'),
        ("bob", '{"plan":"pro"}', None),
        ("dan", '{"plan":"pro"}', None),
    ]
    plain = land(home, content, "log.csv", mapping=Mapping(columns={"properties": None, "metadata": None}))
    assert (plain.landed, plain.quarantined) == (4, 0)


@pytest.mark.parametrize("width", [400, 1001])
def test_a_row_has_as_many_properties_as_a_json_event(home: Home, width: int) -> None:
    """One limit for both."""
    header = ["event_id", "event_type", "time", *(f"p{number}" for number in range(width))]
    row = ["e1", "x", "2026-01-30T12:00:00Z", *(["1"] * width)]
    event = dict(zip(["eventId", "eventType", "timestamp"], row, strict=False)) | {
        "properties": dict(zip(header[3:], row[3:], strict=True))
    }
    summaries = [land(home, csv(header, row), "a.csv"), land(home, json.dumps(event).encode(), "a.jsonl")]
    assert [summary.landed for summary in summaries] == ([1, 1] if width == 400 else [0, 0])
    assert [reasons(summary) for summary in summaries] == ([{}, {}] if width == 400 else [{"too_large": 1}] * 2)


def test_one_mapping_for_everything(home: Home) -> None:
    """Columns, constants, cases, types, chosen properties, custom identifiers and traits."""
    path = home.root.parent / "map.yml"
    path.write_text(
        """
        columns:
          occurred_at: at
          user_id: who
          custom:crm: crm
          traits.plan: plan
          properties.amount: sum
          event_id: null
        constants: {category: monetization, utm_medium: shop}
        case:
          event_type:
            - {when: {column: no, starts_with: C}, then: refund}
            - {when: [{column: sum, gt: 100}, {column: plan, in: [pro, team]}], then: big_purchase}
            - {else: purchase}
        types: {sum: number, gift: boolean, sent: time}
        properties: [gift, sent]
        source: custom
        tz: Europe/Berlin
        time_format: "%d.%m.%Y %H:%M"
        """
    )
    content = csv(
        ["event_id", "no", "at", "who", "crm", "plan", "sum", "gift", "sent"],
        ["1", "A1", "30.01.2026 13:00", "ada", "k1", "pro", "250.50", "yes", "31.01.2026 01:00"],
        ["2", "C2", "30.01.2026 13:00", "", "", "", "3", "", ""],
        ["3", "A3", "30.01.2026 13:00", "bob", "", "free", "2", "0", ""],
        ["4", "A4", "30.01.2026 13:00", "bob", "", "free", "two", "", ""],
        ["5", "A5", "30.01.2026 13:00", "bob", "", "free", "1", "maybe", ""],
        ["6", "A6", "2026-01-30", "bob", "", "free", "1", "", ""],
    )
    summary = land(home, content, "sales.csv", mapping=load_mapping([str(path)]))
    assert (counts(summary), reasons(summary)) == ((6, 3, 0, 3), {"bad_time": 1, "type_mismatch": 2})
    columns = ("event_type", "user_id", "custom_ids", "traits", "properties", "category", "utm_medium", "occurred_at")
    noon = datetime(2026, 1, 30, 12, tzinfo=UTC)
    assert landed(home, *columns) == [
        (
            *("big_purchase", "ada", '{"crm":"k1"}', '{"plan":"pro"}'),
            '{"amount":250.5,"gift":true,"sent":"2026-01-31T00:00:00Z"}',
            *("monetization", "shop", noon),
        ),
        ("refund", None, None, None, '{"amount":3}', "monetization", "shop", noon),
        ("purchase", "bob", None, '{"plan":"free"}', '{"amount":2,"gift":false}', "monetization", "shop", noon),
    ]
    details = {row.detail for row in quarantined_rows(home)}
    assert details >= {"sum is not a number", "gift is not true or false"}
