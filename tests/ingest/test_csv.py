"""CSV files: a plain log takes one command, odd rows wait, broken files land nothing."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime
from typing import Any

import pytest

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
