"""Odd ids, times and addresses, odd files and random bytes, of each source: kept or refused with the reason.

What is among properties is in test_json_corpus.py and test_service_corpus.py; the cases are of the same catalogue.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.quarantine import quarantined_rows
from ingest.redaction import without_credentials
from tests.ingest.conftest import BULK_BYTES
from tests.ingest.landings import UTC, counts, event, files_below, jsonl, land, landed
from tests.ingest.segments import message
from tests.ingest.stripes import landed_stripe, stripe_event
from tests.ingest.test_json_corpus import REFUSED as EVENTS_REFUSED
from tests.ingest.test_json_corpus import TIMES
from tests.ingest.test_meta import SECONDS, purchase
from warehouse.home import Home

#: The smallest row of each source, by what says its id and its time.
ROWS: dict[Any, Callable[..., dict[str, Any]]] = {
    "events": lambda id_="e1", time=SECONDS: event(eventId=id_, timestamp=time),
    "segment": lambda id_="e1", time=SECONDS: message(messageId=id_, timestamp=time),
    "meta": lambda id_="e1", time=SECONDS: purchase(event_id=id_, event_time=time),
    "stripe": lambda id_="e1", time=SECONDS: stripe_event(id=id_, created=time),
}
#: Each source, and of those whose messages are read in two ways both.
WAYS = [("events", "bulk"), ("stripe", "bulk"), *((name, way) for name in ("segment", "meta") for way in BULK_BYTES)]


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def writer(request: pytest.FixtureRequest) -> Any:
    """A source, in one of the ways in which it is read."""
    name, way = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.messages.BULK_BYTES", BULK_BYTES[way])
        yield name


IDS_KEPT = {
    "C23 one byte": "x",
    "C23 256 bytes": "y" * 256,
    "C23 256 bytes of two each": "é" * 128,
    "C24 newline": "a\nb",
    "C24 tab": "a\tb",
    "C24 path": "../../etc/passwd",
    "C24 escaped path": "%2e%2e/",
    "C24 emoji": "😀",
    "C24 right-to-left": "\u202eabc",
    "C24 terminal": "\x1b[31mred",
    "C25 NFC": "caf\u00e9",
    "C25 NFD": "resume\u0301",
    "C25 ligature": "\ufb01",
    "C25 Kelvin": "\u212a",
    "C26 Cyrillic": "\u0430da",
    "C26 zero width": "a\u200bda",
    "C27 a tag": "a+tag",
    "C34 SQL": "'; drop table x; --",
    "C35 template": "{{7*7}}${jndi:x}",
    "C35 format": "{0.__class__}%n",
    "C36 formula": "=HYPERLINK(1)",
    "C37 HTML": "<script>alert(1)</script>",
    "C38 Windows": "C:\\CON",
    "C38 an option": "-rf",
}
IDS_REFUSED = {
    "C05 lone surrogate": ("a\ud800", "bad_unicode"),
    "C06 NUL": ("a\x00b", "nul"),
    "C21 number": (7, "type_mismatch"),
    "C21 boolean": (True, "type_mismatch"),
    "C21 object": ({"a": 1}, "type_mismatch"),
    "C21 array": (["a"], "type_mismatch"),
    "C22 empty": ("", "empty_id"),
    "C22 blank": (" \t", "empty_id"),
    "C23 257 bytes": ("z" * 257, "id_too_long"),
    "C23 257 bytes of two each": ("z" + "é" * 128, "id_too_long"),
    "C23 a megabyte": ("z" * 1_000_000, "id_too_long"),
}


def known_ids(home: Home, writer: str) -> list[str]:
    """The ids of landed rows as their source gave them."""
    if writer == "stripe":
        return [id_ for (id_,) in landed_stripe(home, "delivery_id")]
    return [id_ for (id_,) in landed(home, "source_id" if writer == "meta" else "event_id")]


def refusals(home: Home) -> dict[int, str]:
    """The reasons of what waits, by line."""
    return {row.row_number or 0: row.reason for row in quarantined_rows(home)}


def test_ids_are_data(home: Home, writer: Any) -> None:
    """Whatever they hold they land as they are (our own and Segment's in NFC), and never become a path."""
    lines = [ROWS[writer](id_=id_) for id_ in IDS_KEPT.values()]
    assert counts(land(home, jsonl(*lines), writer=writer)) == (len(lines), len(lines), 0, 0)
    is_normal = writer in ("events", "segment")
    spelled = [normalize("NFC", id_) if is_normal else id_ for id_ in IDS_KEPT.values()]
    assert sorted(known_ids(home, writer)) == sorted(spelled)
    assert all(
        re.fullmatch(r"control\.sqlite|locks/landing|landing/\w+/\d{10}\.parquet", name)
        for name in files_below(home.root)
    )


def test_what_is_no_id_is_refused(home: Home, writer: Any) -> None:
    """Each with its reason, and the good row behind them lands."""
    lines = [ROWS[writer](id_=id_) for id_, _ in IDS_REFUSED.values()]
    assert counts(land(home, jsonl(*lines, ROWS[writer]()), writer=writer))[1:] == (1, 0, len(lines))
    assert refusals(home) == dict(enumerate((reason for _, reason in IDS_REFUSED.values()), start=1))


#: What no message may repeat: keys, a token, and card numbers (from the lists that payment services publish for tests).
CREDENTIALS = {
    "C39 secret key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "C39 restricted key": "rk_test_4eC39HqLyjWDarjtT1zdp7dc",
    "C39 signing secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "C39 token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N",
    "C39 card": "4242424242424242",
    "C39 card as printed": "4000-0566 5566-5556",
    "C39 card of fifteen digits": "378282246310005",
}


def test_credentials_are_data_and_stand_in_no_message(
    home: Home, writer: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """C39: as values they land as they came; where they are refused, the reason does not repeat them."""
    place = {"meta": "custom_data", "stripe": "metadata"}.get(writer, "properties")
    lines: list[Any] = []
    for number, text in enumerate(CREDENTIALS.values()):
        lines.append(ROWS[writer](id_=f"kept-{number}") | {place: {"note": text}})
        lines.append(ROWS[writer](id_=f"time-{number}", time=text))
        lines.append(json.dumps(ROWS[writer](id_=f"twice-{number}"))[:-1] + f', "{text}": 1, "{text}": 2}}')
    every = len(CREDENTIALS)
    summary = land(home, jsonl(*lines), writer=writer)
    assert counts(summary) == (3 * every, every, 0, 2 * every)
    found = landed_stripe(home, "body") if writer == "stripe" else landed(home, "properties")
    waiting = quarantined_rows(home)
    said = " ".join(
        [*(row.detail for row in waiting), json.dumps(summary.to_json()), *capsys.readouterr(), caplog.text]
    )
    for text in CREDENTIALS.values():
        assert any(text in body for (body,) in found)
        assert text not in said
        assert len([row for row in waiting if text.encode() in row.raw]) == 2


def test_numbers_that_are_no_card_numbers_are_quoted() -> None:
    """Luhn's check tells them apart, but for one in ten."""
    text = "order 4242424242424243 of 12"
    assert without_credentials(text) == text
    assert without_credentials("4242 4242 4242 4242, skip_live_x") == "…4242, skip_live_x"


#: Times as other sources than Meta write them, and why others are refused.
TIMES_REFUSED: list[tuple[Any, str]] = [
    (json.loads(line)["timestamp"], reason.value)
    for name, line, reason in EVENTS_REFUSED
    if name[:3] in ("C29", "C30", "C31", "C32", "C33") and "timestamp" in json.loads(line)
]
#: Meta takes whole Unix seconds alone.
META_TIMES: list[tuple[Any, datetime | str]] = [
    (SECONDS, datetime(2026, 1, 30, 12, tzinfo=UTC)),
    (946_684_800, datetime(2000, 1, 1, tzinfo=UTC)),
    (946_684_799, "time_range"),
    (SECONDS + 40 * 86_400, "time_range"),
    (0, "time_range"),
    (-5, "bad_time"),
    (SECONDS * 10**3, "bad_time"),
    (SECONDS * 10**6, "bad_time"),
    (SECONDS * 10**9, "bad_time"),
    (10**30, "bad_time"),
    (SECONDS + 0.25, "type_mismatch"),
    (str(SECONDS), "type_mismatch"),
    ("2026-01-30T12:00:00Z", "type_mismatch"),
    ("", "type_mismatch"),
    (True, "type_mismatch"),
]


def test_times_are_read_or_refused(home: Home, writer: Any) -> None:
    """C29 to C33: each documented form, and nothing that only looks like a time; one odd time costs no other row."""
    cases = META_TIMES if writer == "meta" else [*TIMES, *TIMES_REFUSED]
    lines = [ROWS[writer](id_=f"e{number}", time=given) for number, (given, _) in enumerate(cases, start=1)]
    good = [wanted for _, wanted in cases if isinstance(wanted, datetime)]
    assert counts(land(home, jsonl(*lines), writer=writer)) == (len(cases), len(good), 0, len(cases) - len(good))
    times = landed_stripe(home, "row_number", "created_at") if writer == "stripe" else None
    found = dict(times or landed(home, "row_number", "occurred_at")) | refusals(home)
    assert found == dict(enumerate((wanted for _, wanted in cases), start=1))


ADDRESSES: dict[str, tuple[str, str | None]] = {
    "plain": ("Ada@X.org", "ada@x.org"),
    "C25 NFD": ("e\u0301@x.org", "\u00e9@x.org"),
    "C25 ligature": ("\ufb01@x.org", "\ufb01@x.org"),
    "C25 sharp s": ("ß@x.org", "ß@x.org"),
    "C25 dotless i": ("\u0131@x.org", "\u0131@x.org"),
    "C26 Cyrillic": ("\u0430da@x.org", "\u0430da@x.org"),
    "C26 domain": ("ada@xn--mnchen-3ya.de", "ada@xn--mnchen-3ya.de"),
    "C26 zero width": ("a\u200bda@x.org", None),
    "C26 control": ("a\x01da@x.org", None),
    "C27 a tag": ("a+tag@gmail.com", "a+tag@gmail.com"),
    "C28 no @": ("ada", None),
    "C28 two @": ("a@b@c", None),
    "C28 quoted": ('"a b"@x.org', None),
    "C28 321 characters": ("x" * 309 + "@example.org", None),
}


def test_addresses_identify_or_stay_properties(home: Home, writer: Any) -> None:
    """C25 to C28: nothing is guessed; what is no address is kept and joins nobody."""
    if writer not in ("events", "segment"):
        pytest.skip("Meta hashes addresses (test_metafields.py); Stripe's stay in their bodies")
    # An address of our own that is too long for an identifier is refused; as a trait it is a text like any other.
    cases = {name: case for name, case in ADDRESSES.items() if writer == "segment" or "321" not in name}
    place = "traits" if writer == "segment" else "identifiers"
    lines = [ROWS[writer](id_=name) | {place: {"email": told}} for name, (told, _) in cases.items()]
    assert counts(land(home, jsonl(*lines), writer=writer)) == (len(lines), len(lines), 0, 0)
    assert dict(landed(home, "event_id", "email")) == {name: known for name, (_, known) in cases.items()}
    kept = {
        name: json.loads(text)["email"]
        for name, *texts in landed(home, "event_id", "traits", "given")
        for text in texts
        if text
    }
    assert {name: told for name, (told, known) in cases.items() if known is None}.items() <= kept.items()


@pytest.mark.parametrize("writer", ROWS)
@pytest.mark.parametrize("form", ["gzip", "CRLF", "no newline at the end", "array", "pretty"])
def test_forms_of_a_file(home: Home, writer: Any, form: str) -> None:
    """The same two rows however they are written."""
    rows = [ROWS[writer](id_=f"e{number}") for number in range(2)]
    content, name = {
        "gzip": (gzip.compress(jsonl(*rows)), "a.jsonl.gz"),
        "CRLF": (jsonl(*rows).replace(b"\n", b"\r\n"), "a.jsonl"),
        "no newline at the end": (jsonl(*rows).rstrip(b"\n"), "a.jsonl"),
        "array": (json.dumps(rows).encode(), "a.json"),
        "pretty": ("\n".join(json.dumps(row, indent=2) for row in rows).encode(), "a.json"),
    }[form]
    assert counts(land(home, content, name, writer=writer)) == (2, 2, 0, 0)


@pytest.mark.parametrize("writer", ROWS)
def test_a_byte_order_mark_and_other_encodings(home: Home, writer: Any) -> None:
    """C11, C12: the first row of the one waits, the other breaks the file, which says so."""
    rows = jsonl(*(ROWS[writer](id_=f"e{number}") for number in range(2)))
    assert counts(land(home, b"\xef\xbb\xbf" + rows, writer=writer)) == (2, 1, 0, 1)
    assert set(refusals(home).values()) == {"byte_order_mark"}
    summary = land(home, rows.decode().encode("utf-16"), "wide.jsonl", writer=writer)
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 1)
    assert summary.files[0].error == "it is UTF-16; convert it to UTF-8"


MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, 10_000), st.one_of(st.binary(max_size=2), st.sampled_from([b"{", b"}", b",", b'"', b"\\", b"["]))
    ),
    max_size=3,
)


def mutated(writer: str, several: list[list[tuple[int, bytes]]]) -> list[bytes]:
    """Rows of a source, each with some of its bytes exchanged."""
    lines = []
    for number, mutations in enumerate(several):
        line = json.dumps(ROWS[writer](id_=f"e{number}")).encode()
        for place, new in mutations:
            place %= len(line)
            line = line[:place] + new + line[place + 1 :]
        lines.append(line.replace(b"\n", b" "))
    return lines


def assert_accounted_for(writer: Any, several: list[list[tuple[int, bytes]]]) -> None:
    """Land mutated rows: each is counted once, and those that nobody touched land."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home").ensure()
        summary = land(home, jsonl(*mutated(writer, several)), writer=writer)
        rows_in, taken, duplicate, quarantined = counts(summary)
        assert [file.error for file in summary.files] == [None]
        assert rows_in == taken + duplicate + quarantined
        # A mutation may make a batch of several rows, or of none; a list of Stripe is such a one.
        assert rows_in == len(several) or writer != "events"
        whole = {f"e{number}" for number, mutations in enumerate(several) if not mutations}
        assert whole <= set(known_ids(home, writer))


ROWS_OF_MUTATIONS = st.lists(MUTATIONS, min_size=40, max_size=40)


@settings(max_examples=3)
@given(ROWS_OF_MUTATIONS)
def test_mutated_rows_are_all_accounted_for(writer: Any, several: list[list[tuple[int, bytes]]]) -> None:
    """C40: no crash, no row lost."""
    assert_accounted_for(writer, several)


@pytest.mark.slow
@settings(max_examples=25)
@given(ROWS_OF_MUTATIONS)
def test_mutated_rows_at_length(writer: Any, several: list[list[tuple[int, bytes]]]) -> None:
    """A thousand rows of each source and way."""
    assert_accounted_for(writer, several)
