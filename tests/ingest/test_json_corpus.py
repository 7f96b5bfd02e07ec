"""Bad and odd JSON: every row lands as what it says, or waits in quarantine with the reason; none is dropped."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from ingest.quarantine import QuarantinedRow, quarantined_rows
from ingest.reasons import Reason
from tests.ingest.landings import UTC, counts, event, jsonl, land, landed, reasons
from warehouse.home import Home

GOOD = event(eventId="good")
PROPERTIES = '{"eventId": "e1", "timestamp": "2026-01-30T12:00:00Z", "eventType": "x", "properties": %s}'


def props(text: str) -> str:
    """An event whose properties are this JSON text."""
    return PROPERTIES % text


def nested(levels: int) -> str:
    """An event that is nested so many levels deep, itself included."""
    return props('{"a":' * (levels - 2) + "{}" + "}" * (levels - 2))


REFUSED: list[tuple[str, Any, Reason]] = [
    ("C01 NaN", props('{"a": NaN}'), Reason.NON_FINITE),
    ("C02 -Infinity", props('{"a": -Infinity}'), Reason.NON_FINITE),
    ("C03 1e400", props('{"a": 1e400}'), Reason.NON_FINITE),
    ("C03 1e400 in an array", props('{"a": [1, 1e400]}'), Reason.NON_FINITE),
    (
        "C04 duplicate key on top",
        '{"eventId":"e1","eventId":"e2","timestamp":1769774400,"eventType":"x"}',
        Reason.DUPLICATE_KEY,
    ),
    ("C04 duplicate key in properties", props('{"a": 1, "a": 2}'), Reason.DUPLICATE_KEY),
    ("C04 duplicate key deep", props('{"a": {"b": [{"c": 1, "c": 1}]}}'), Reason.DUPLICATE_KEY),
    ("C04 duplicate key by escape", props(r'{"a": 1, "\u0061": 2}'), Reason.DUPLICATE_KEY),
    ("C04 two spellings of a field", json.dumps(event(event_id="e2")), Reason.DUPLICATE_KEY),
    ("C04 a key with two values", json.dumps(event(seconds=1, properties={"seconds": 2})), Reason.DUPLICATE_KEY),
    ("C05 lone surrogate", props(r'{"a": "\ud800"}'), Reason.BAD_UNICODE),
    ("C05 lone surrogate in an id", json.dumps(event(personId="a\ud800")), Reason.BAD_UNICODE),
    ("C06 escaped NUL in an id", json.dumps(event(personId="a\x00b")), Reason.NUL),
    ("C06 escaped NUL in a key", props(r'{"a\u0000": 1}'), Reason.NUL),
    ("C07 raw NUL", b'{"eventId": "a\x00b"}', Reason.NUL),
    ("C07 raw control character", props('{"a": "\x01"}'), Reason.NOT_JSON),
    ("C09 5,000 digits", props('{"a": %s}' % ("9" * 5000)), Reason.NON_FINITE),
    ("C10 33 levels", nested(33), Reason.TOO_DEEP),
    ("C10 1,100 levels", nested(1100), Reason.TOO_DEEP),
    ("C10 50,000 levels", "[" * 50_000 + "]" * 50_000, Reason.TOO_DEEP),
    ("C13 invalid UTF-8", b'{"eventId": "\xff"}', Reason.BAD_UNICODE),
    ("C13 overlong UTF-8", b'{"eventId": "\xc0\xaf"}', Reason.BAD_UNICODE),
    ("C14 two documents", json.dumps(GOOD) + json.dumps(GOOD), Reason.NOT_JSON),
    ("C14 trailing garbage", json.dumps(GOOD) + " x", Reason.NOT_JSON),
    ("C14 comment", '{"eventId": "e1" /* x */}', Reason.NOT_JSON),
    ("C14 single quotes", "{'eventId': 'e1'}", Reason.NOT_JSON),
    ("C15 trailing comma in an object", props('{"a": 1,}'), Reason.NOT_JSON),
    ("C15 trailing comma in an array", props('{"a": [1, 2, ]}'), Reason.NOT_JSON),
    ("C15 trailing comma on top", json.dumps(GOOD)[:-1] + ",}", Reason.NOT_JSON),
    ("C16 null", "null", Reason.NOT_AN_OBJECT),
    ("C16 array", "[]", Reason.NOT_AN_OBJECT),
    ("C16 text", '"x"', Reason.NOT_AN_OBJECT),
    ("C16 number", "1", Reason.NOT_AN_OBJECT),
    ("C16 empty object", "{}", Reason.MISSING_FIELD),
    ("C17 1001 keys", json.dumps(event(properties={f"k{n}": n for n in range(1001)})), Reason.TOO_LARGE),
    ("C17 a key of 257 bytes", json.dumps(event(properties={"k" * 257: 1})), Reason.TOO_LARGE),
    ("C17 1,001 elements", json.dumps(event(properties={"a": list(range(1001))})), Reason.TOO_LARGE),
    ("C18 a text of 32 KiB and a byte", json.dumps(event(properties={"a": "x" * 32_769})), Reason.TOO_LARGE),
    ("C18 a line over 1 MiB", json.dumps(event(properties={"a": "x" * (1 << 20)})), Reason.TOO_LARGE),
    ("C20 leading zero", props('{"a": 01}'), Reason.NOT_JSON),
    ("C21 number for a text", json.dumps(event(eventId=7)), Reason.TYPE_MISMATCH),
    ("C21 boolean for a text", json.dumps(event(utmSource=True)), Reason.TYPE_MISMATCH),
    ("C21 object for a scalar", json.dumps(event(eventType={"a": 1})), Reason.TYPE_MISMATCH),
    ("C21 array for properties", json.dumps(event(properties=[])), Reason.TYPE_MISMATCH),
    ("C21 text for properties", json.dumps(event(properties="{}")), Reason.TYPE_MISMATCH),
    ("C21 number among identifiers", json.dumps(event(identifiers={"crm": 7})), Reason.TYPE_MISMATCH),
    ("C22 empty id", json.dumps(event(eventId="")), Reason.EMPTY_ID),
    ("C22 blank id", json.dumps(event(personId=" \u3000 ")), Reason.EMPTY_ID),
    ("C22 blank event type", json.dumps(event(eventType="\t")), Reason.EMPTY_ID),
    ("C23 an id of 257 bytes", json.dumps(event(personId="x" * 257)), Reason.ID_TOO_LONG),
    ("C23 an id of 129 letters of two bytes", json.dumps(event(personId="é" * 129)), Reason.ID_TOO_LONG),
    ("C23 an id of 1 MB", json.dumps(event(eventId="x" * 1_000_000)), Reason.ID_TOO_LONG),
    ("C29 no time", json.dumps(event(timestamp=None)), Reason.MISSING_FIELD),
    ("C29 empty time", json.dumps(event(timestamp="")), Reason.BAD_TIME),
    ("C29 a word for a time", json.dumps(event(timestamp="yesterday")), Reason.BAD_TIME),
    ("C29 digits in quotes", json.dumps(event(timestamp="1769774400")), Reason.BAD_TIME),
    ("C29 negative epoch", json.dumps(event(timestamp=-5)), Reason.TIME_RANGE),
    ("C29 zero", json.dumps(event(timestamp=0)), Reason.TIME_RANGE),
    ("C29 boolean for a time", json.dumps(event(timestamp=True)), Reason.TYPE_MISMATCH),
    ("C30 year 1", json.dumps(event(timestamp="0001-01-01T00:00:00Z")), Reason.TIME_RANGE),
    ("C30 year 9999", json.dumps(event(timestamp="9999-12-31T23:59:59Z")), Reason.TIME_RANGE),
    ("C30 year 10000", json.dumps(event(timestamp="10000-01-01T00:00:00Z")), Reason.BAD_TIME),
    ("C30 infinity", json.dumps(event(timestamp="infinity")), Reason.BAD_TIME),
    ("C31 leap second", json.dumps(event(timestamp="2016-12-31T23:59:60Z")), Reason.BAD_TIME),
    ("C31 29 February 2026", json.dumps(event(timestamp="2026-02-29T00:00:00Z")), Reason.BAD_TIME),
    ("C31 24 o'clock", json.dumps(event(timestamp="2026-01-30T24:00:00Z")), Reason.BAD_TIME),
    ("C32 no zone", json.dumps(event(timestamp="2026-01-30T12:00:00")), Reason.BAD_TIME),
    ("C32 +99:00", json.dumps(event(timestamp="2026-01-30T12:00:00+99:00")), Reason.BAD_TIME),
    ("C32 a zone's name", json.dumps(event(timestamp="2026-01-30T12:00:00 Europe/Berlin")), Reason.BAD_TIME),
    ("C33 25 hours ahead", json.dumps(event(timestamp="2026-03-02T13:00:01Z")), Reason.TIME_RANGE),
    ("C33 ten years ahead", json.dumps(event(timestamp="2036-03-02T13:00:01Z")), Reason.TIME_RANGE),
    ("unknown source", json.dumps(event(source="fax")), Reason.UNKNOWN_VALUE),
    ("unknown category", json.dumps(event(category="fun")), Reason.UNKNOWN_VALUE),
    ("not a SHA-256", json.dumps(event(identifiers={"email_sha256": "abc"})), Reason.UNKNOWN_VALUE),
]


def _raw(line: str | bytes) -> bytes:
    return line.encode() if isinstance(line, str) else line


@pytest.fixture(scope="module")
def quarantine(tmp_path_factory: pytest.TempPathFactory) -> dict[int, QuarantinedRow]:
    """The refused rows, by their lines, of a file that holds the whole corpus and a good row at its end."""
    home = Home(tmp_path_factory.mktemp("corpus") / "home").ensure()
    summary = land(home, jsonl(*(_raw(line) for _, line, _ in REFUSED), GOOD))
    assert counts(summary) == (len(REFUSED) + 1, 1, 0, len(REFUSED))
    assert landed(home, "event_id", "row_number") == [("good", len(REFUSED) + 1)]
    return {row.row_number or 0: row for row in quarantined_rows(home)}


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[row[0] for row in REFUSED])
def test_what_cannot_land_waits_with_its_reason(quarantine: dict[int, QuarantinedRow], number: int) -> None:
    """The row is in quarantine as it came, under its line, with a reason and a detail of one line."""
    _, line, reason = REFUSED[number]
    row, raw = quarantine[number + 1], _raw(line)
    assert (row.reason, row.raw) == (reason.value, raw if len(raw) <= 1 << 20 else raw[:4096])
    assert row.detail
    assert "\n" not in row.detail


def test_every_reason_occurs(quarantine: dict[int, QuarantinedRow]) -> None:
    """Each reason has an example above, but for those of other forms and of the first line."""
    assert {row.reason for row in quarantine.values()} == {
        reason.value
        for reason in Reason
        if reason not in (Reason.RAGGED_ROW, Reason.BROKEN_QUOTES, Reason.BYTE_ORDER_MARK)
    }


KEPT: list[tuple[str, str]] = [
    ("C08 2^63", '{"a":9223372036854775808}'),
    ("C08 2^64", '{"a":18446744073709551616}'),
    ("C08 2^53+1", '{"a":9007199254740993}'),
    ("C18 a text of 32 KiB", json.dumps({"a": "x" * 32_768}, separators=(",", ":"))),
    ("C19 odd keys", r'{"":1,"*":2,"$":3,"$.x":4,"/a":5,"a.b":6,"a\"b":7,"__proto__":8,"~1":9,"a\\b":10}'),
    ("C20 minus zero", '{"a":-0}'),
    ("C20 1.0", '{"a":1.0}'),
    ("C20 0.1 and 30 digits", '{"a":0.1000000000000000055511151231257827}'),
    ("C20 exponent", '{"a":1e5,"b":1E-7}'),
    ("C20 fifteen digits", '{"a":123456789012.345}'),
    ("C34 SQL", '{"a":"\'; drop table x; --","b":"x\') = \'pro\' or true --"}'),
    ("C35 templates", '{"a":"{{7*7}}","b":"{0.__class__}","c":"${jndi:ldap}","d":"%n"}'),
    ("C36 formula", '{"a":"=HYPERLINK(1)","b":"@x","c":"+1","d":"-1"}'),
    ("C37 HTML", '{"a":"<script>alert(1)</script>"}'),
    ("C10 brackets in a text", '{"a":"' + "[" * 100 + '"}'),
    ("nested objects and arrays", '{"a":{"b":[{"c":[1,2,{"d":null}]}]},"e":[]}'),
    ("escapes", r'{"a":"\"\\\b\f\n\r\té\u001F"}'),
    ("null, true, false", '{"a":null,"b":true,"c":false}'),
    ("emoji and right-to-left", '{"a":"😀\u202eabc"}'),
]


def test_properties_are_kept_as_they_were_given(home: Home) -> None:
    """The canonical text of the properties is what was sent, whatever it holds."""
    lines = [props(text).replace('"e1"', f'"{name}"', 1) for name, text in KEPT]
    assert counts(land(home, jsonl(*lines))) == (len(KEPT), len(KEPT), 0, 0)
    assert dict(landed(home, "event_id", "properties")) == dict(KEPT)


SPELLINGS: list[tuple[str, str]] = [
    ('{ "a" : [ 1 , 2 ] }', '{"a":[1,2]}'),
    ('{"a": 1.50}', '{"a":1.5}'),
    ('{"a": 2.00}', '{"a":2.0}'),
    (r'{"a": "\u00e9\/\u001f"}', r'{"a":"é/\u001F"}'),
    (r'{"a": "\ud83d\ude00"}', '{"a":"😀"}'),
]


def test_equal_properties_have_one_spelling(home: Home) -> None:
    """White space, escapes and trailing zeros do not tell two bodies apart."""
    lines = [props(text) for spellings in SPELLINGS for text in spellings]
    assert counts(land(home, jsonl(*lines))) == (len(lines), len(SPELLINGS), len(SPELLINGS), 0)
    assert sorted(landed(home, "properties")) == sorted((canonical,) for _, canonical in SPELLINGS)


TIMES: list[tuple[Any, datetime]] = [
    ("2026-01-30T12:00:00Z", datetime(2026, 1, 30, 12, tzinfo=UTC)),
    ("2026-01-30t12:00:00z", datetime(2026, 1, 30, 12, tzinfo=UTC)),
    ("2026-01-30 12:00:00.5+00:00", datetime(2026, 1, 30, 12, 0, 0, 500_000, tzinfo=UTC)),
    ("2026-01-30T13:30:00+01:30", datetime(2026, 1, 30, 12, tzinfo=UTC)),
    ("2026-01-30T12:00:00-0800", datetime(2026, 1, 30, 20, tzinfo=UTC)),
    ("2026-01-30T12:00Z", datetime(2026, 1, 30, 12, tzinfo=UTC)),
    ("2026-01-30T12:00:00.123456789Z", datetime(2026, 1, 30, 12, 0, 0, 123_456, tzinfo=UTC)),
    ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
    ("2026-03-02T12:00:00Z", datetime(2026, 3, 2, 12, tzinfo=UTC)),
    (1769774400, datetime(2026, 1, 30, 12, tzinfo=UTC)),
    (1769774400.25, datetime(2026, 1, 30, 12, 0, 0, 250_000, tzinfo=UTC)),
    (1769774400123, datetime(2026, 1, 30, 12, 0, 0, 123_000, tzinfo=UTC)),
    (1769774400123456, datetime(2026, 1, 30, 12, 0, 0, 123_456, tzinfo=UTC)),
    (1769774400123456789, datetime(2026, 1, 30, 12, 0, 0, 123_456, tzinfo=UTC)),
]


def test_times_are_read_in_every_documented_form(home: Home) -> None:
    """Text with a zone, or an epoch number whose unit its size tells; one file may mix them."""
    lines = [event(eventId=f"e{number}", timestamp=given) for number, (given, _) in enumerate(TIMES)]
    assert counts(land(home, jsonl(*lines))) == (len(TIMES), len(TIMES), 0, 0)
    assert sorted(landed(home, "event_id", "occurred_at")) == sorted(
        (f"e{number}", moment) for number, (_, moment) in enumerate(TIMES)
    )


def test_blank_lines_are_no_rows(home: Home) -> None:
    """Neither counted nor refused; the line numbers of the others stay."""
    summary = land(home, b"\n" + jsonl(event()) + b"  \t\r\n\r\n" + jsonl(event(eventId="e2")).rstrip(b"\n"))
    assert counts(summary) == (2, 2, 0, 0)
    assert landed(home, "event_id", "row_number") == [("e1", 2), ("e2", 5)]


def test_a_byte_order_mark_is_refused_with_its_row(home: Home) -> None:
    """The first line waits, the others land."""
    summary = land(home, b"\xef\xbb\xbf" + jsonl(event(), event(eventId="e2")))
    assert (counts(summary), reasons(summary)) == ((2, 1, 0, 1), {"byte_order_mark": 1})


def test_utf_16_breaks_the_file(home: Home) -> None:
    """Not one row of it could be read; the message says what it is."""
    summary = land(home, json.dumps(event()).encode("utf-16"))
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 1)
    assert summary.files[0].error == "it is UTF-16; convert it to UTF-8"


def test_an_array_in_a_file_meets_the_same_checks(home: Home) -> None:
    """Each element is a row of its own, however it is spread over lines."""
    good = json.dumps(event(), indent=2)
    bad = [props('{"a": NaN}'), props('{"a": 1, "a": 2}'), "7", nested(40)]
    summary = land(home, f"[{', '.join([good, *bad])}]".encode(), "events.json")
    assert (counts(summary), reasons(summary)) == (
        (5, 1, 0, 4),
        {"duplicate_key": 1, "non_finite": 1, "not_an_object": 1, "too_deep": 1},
    )
    assert landed(home, "row_number", "event_id") == [(1, "e1")]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"[{}, {}", "the end of the file behind element 2, where a comma or ] belongs"),
        (b"[{},]", "element 2 is not JSON: Expecting value"),
        (b"[{}] []", "there is more behind the end of the array"),
        (b"[" * 100_000, "element 1 is nested far too deep"),
    ],
)
def test_a_broken_array_breaks_the_file(home: Home, content: bytes, error: str) -> None:
    """Where it is not clear where a row ends, nothing of the file lands."""
    summary = land(home, content, "events.json")
    assert (counts(summary), summary.exit_code, summary.files[0].error) == ((0, 0, 0, 0), 1, error)
    assert landed(home, "event_id") == []
