"""The model, the columnar SQL and the row-by-row check are one contract: random events come out alike from all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import ingest.jsonrows
from ingest import strictjson
from ingest.jsonshape import Plan
from ingest.quarantine import quarantined_rows
from ingest.reasons import Refused
from ingest.times import instant
from models.event import UnifiedEvent
from models.landing import BODY_COLUMNS
from tests.ingest.landings import counts, event, jsonl, land, landed
from warehouse.home import Home

ROWS = 40
#: An example of many rows takes long to shrink; the row that fails is in the message.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
WORD = st.sampled_from(
    ["ada", " Ada ", "A\u030aGE", "ÅGE", "İstanbul", "ΣΑΣ", "x" * 256, "x" * 257, "", " ", "7", "é\u00a0", "\t"]
)
ID = st.one_of(WORD, TEXT, st.sampled_from([None, 7, True, ["a"], {"a": 1}]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.one_of(st.dictionaries(TEXT, JSON, max_size=4), st.sampled_from([None, [], "x", 3]))
EARLY = datetime(1999, 12, 1)  # noqa: DTZ001 (a zone is added to what is drawn)
TIME = st.one_of(
    st.datetimes(min_value=EARLY).map(lambda moment: moment.isoformat() + "Z"),
    st.integers(-10, 2**62),
    st.sampled_from(["2026-01-30T12:00:00+01:00", "2026-01-30 12:00Z", "2026-02-30T00:00:00Z", "nope", None, True, ""]),
)
#: What an event may hold beside a good time, id and type: at most three of these.
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "eventId": ID,
    "event_type": ID,
    "eventType": ID,
    "personId": ID,
    "userId": ID,
    "anonymousId": ID,
    "email": st.one_of(ID, st.sampled_from(["Ada@X.org", "no address", "a@b@c", "ü@x.org"])),
    "accountId": ID,
    "source": st.sampled_from(["app", "custom", "fax", 3, None]),
    "category": st.sampled_from(["activation", "Activation", None]),
    "utmSource": ID,
    "sourceId": ID,
    "timestamp": TIME,
    "sentAt": TIME,
    "receivedAt": TIME,
    "properties": OBJECT,
    "traits": OBJECT,
    "metadata": OBJECT,
    "identifiers": st.one_of(
        st.dictionaries(st.sampled_from(["stripe_id", "crm", "email", "userId", "", " crm"]), ID, max_size=2), OBJECT
    ),
    "seconds": JSON,
    "a.b": JSON,
}


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event that is good but for a few parts that may be anything."""
    number = draw(st.integers(0, 99))
    chosen = draw(st.lists(st.sampled_from(sorted(PARTS)), max_size=3, unique=True))
    return event(eventId=f"e{number}") | {name: draw(PARTS[name]) for name in chosen}


@contextmanager
def new_home() -> Iterator[Home]:
    """A home for one example of hypothesis."""
    with tempfile.TemporaryDirectory() as folder:
        yield Home(Path(folder) / "home").ensure()


def model_of(given: dict[str, Any]) -> UnifiedEvent | None:
    """What the model makes of an event, as the ways in hand it over: null is absent, and times have been read."""
    plain = {key: value for key, value in given.items() if value is not None}
    plain.setdefault("eventId", "computed")
    if isinstance(identifiers := plain.get("identifiers"), dict):
        plain["identifiers"] = {key: value for key, value in identifiers.items() if value is not None}
    try:
        for name in ("timestamp", "sentAt", "receivedAt"):
            if name in plain:
                plain[name] = instant(name, strictjson.parse(json.dumps(plain[name])))
        return UnifiedEvent.model_validate(plain)
    except (ValidationError, Refused):
        return None


@settings(max_examples=8, phases=NO_SHRINKING)
@given(st.lists(events(), min_size=ROWS, max_size=ROWS))
def test_what_lands_is_what_the_model_says(given: list[dict[str, Any]]) -> None:
    """A row lands only if the model takes it, and then with the model's values."""
    numbered = [one | {"properties": one.get("properties", {"n": number})} for number, one in enumerate(given)]
    with new_home() as home:
        summary = land(home, jsonl(*numbered))
        assert summary.rows_in == ROWS == summary.landed + summary.duplicate + summary.quarantined
        columns = ("row_number", "event_type", "user_id", "account_id", "source", "category", "utm_source", "sent_at")
        for number, *values in landed(home, *columns):
            model = model_of(numbered[number - 1])
            assert model is not None, json.dumps(numbered[number - 1])
            assert values == [
                model.event_type,
                model.user_id or model.identifiers.get("userId"),
                model.account_id,
                model.source,
                model.category,
                model.utm_source or None,
                model.sent_at,
            ]
        for row in quarantined_rows(home):
            refused_by_rule = row.reason in ("time_range", "bad_time", "duplicate_key", "unknown_value", "non_finite")
            assert refused_by_rule or model_of(json.loads(row.raw)) is None, str(row)


def everything(home: Home) -> list[tuple[Any, ...]]:
    """All landed content, in an order of its own."""
    names = ["row_number", *(column.name for column in BODY_COLUMNS), "received_at", "body_key"]
    return sorted(landed(home, *names), key=repr)


@settings(max_examples=8, phases=NO_SHRINKING)
@given(st.lists(events(), min_size=ROWS, max_size=ROWS))
def test_sql_and_the_check_of_single_rows_agree(given: list[dict[str, Any]]) -> None:
    """Every column of every row is the same, whichever of the two brought it in; so are the refusals."""
    _assert_both_ways_agree(jsonl(*given))


MUTATIONS = st.tuples(
    st.integers(0, 10_000), st.one_of(st.binary(max_size=2), st.sampled_from([b"{", b"}", b",", b'"', b"\\"]))
)


@settings(max_examples=8, phases=NO_SHRINKING)
@given(st.lists(st.tuples(events(), st.lists(MUTATIONS, max_size=2)), min_size=ROWS, max_size=ROWS))
def test_mutated_bytes_are_all_accounted_for(given: list[tuple[dict[str, Any], list[tuple[int, bytes]]]]) -> None:
    """Events with bytes replaced at random: nothing crashes, nothing is lost, both ways in agree."""
    _assert_both_ways_agree(_mutated(given))


def _mutated(given: list[tuple[dict[str, Any], list[tuple[int, bytes]]]]) -> bytes:
    lines = []
    for one, mutations in given:
        data = bytearray(json.dumps(one, ensure_ascii=False).encode())
        for place, new in mutations:
            data[place % len(data) : place % len(data) + 1] = new
        lines.append(bytes(data))
    return jsonl(*lines)


SEPARATORS = [(", ", ": "), (",", ":")]
LOG_VALUE = st.one_of(
    TEXT, st.sampled_from(["a, b", 'a": "b', "\\", "x,", ":x", "{", "[1]", "null", "7", "é", "\\u0000"])
)
LOG_NUMBER = st.one_of(
    st.integers(-9, 10**18), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)


@st.composite
def log_lines(draw: st.DrawFn) -> list[bytes]:
    """Lines of one writer: the same keys in the same order, spaced in one way; a few are mutated."""
    separators = draw(st.sampled_from(SEPARATORS))
    with_properties, extra = draw(st.booleans()), draw(st.sampled_from([None, "seconds", "a.b", 'q"']))
    ascii_only = draw(st.booleans())
    lines = []
    for number in range(ROWS):
        one = event(eventId=f"e{number}", personId=draw(LOG_VALUE) or "x", utmSource=draw(LOG_VALUE))
        if with_properties:
            one["properties"] = {
                "a": draw(LOG_VALUE),
                "b": draw(LOG_NUMBER),
                "c": draw(st.sampled_from([1.5, [], {}, [1, 2]])),
            }
        if extra:
            one[extra] = draw(LOG_NUMBER)
        if draw(st.integers(0, 9)) == 0:
            del one["utmSource"]
        text = json.dumps(one, separators=separators, ensure_ascii=ascii_only)
        if draw(st.integers(0, 19)) == 0:
            text = draw(
                st.sampled_from(
                    [
                        text.replace("}", ",}", 1),
                        text.replace('"b"', '"a"'),
                        text.replace("1.5", "1.50").replace("null", "NaN"),
                        text.replace("1.5", "1e400"),
                        text.replace("1.5", r'"\u0000"'),
                        text.replace('"eventId"', '"eventId":"z","eventId"'),
                        text.replace(":", " :", 1),
                        text.replace('"x"', "3"),
                    ]
                )
            )
        lines.append(text.encode())
    return lines


@settings(max_examples=12, phases=NO_SHRINKING)
@given(log_lines())
def test_the_template_of_a_log_agrees_with_the_check_of_single_rows(lines: list[bytes]) -> None:
    """Texts that a template finds again come out like all others."""
    _assert_the_template_agrees(lines)


@pytest.mark.slow
@settings(max_examples=300, phases=NO_SHRINKING)
@given(log_lines())
def test_templates_at_length(lines: list[bytes]) -> None:
    """The same, 12,000 lines long."""
    _assert_the_template_agrees(lines)


@pytest.mark.slow
@settings(max_examples=250, phases=NO_SHRINKING)
@given(st.lists(st.tuples(events(), st.lists(MUTATIONS, max_size=2)), min_size=ROWS, max_size=ROWS))
def test_mutated_bytes_at_length(given: list[tuple[dict[str, Any], list[tuple[int, bytes]]]]) -> None:
    """10,000 rows of mutated events."""
    _assert_both_ways_agree(_mutated(given))


def _assert_the_template_agrees(lines: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest.jsonrows, "TEMPLATE_LINES", 1)
        patch.setattr(ingest.jsonrows, "_WORTHWHILE", 0)
        _assert_both_ways_agree(jsonl(*lines))


def _assert_both_ways_agree(content: bytes) -> None:
    with new_home() as fast, new_home() as slow, pytest.MonkeyPatch.context() as patch:
        by_sql = land(fast, content)
        patch.setattr(Plan, "covers", lambda *_: False)
        one_by_one = land(slow, content)
        assert counts(by_sql) == counts(one_by_one)
        assert everything(fast) == everything(slow)
        refusals = [
            [(row.row_number, row.reason, row.detail) for row in quarantined_rows(home)] for home in (fast, slow)
        ]
        assert sorted(refusals[0]) == sorted(refusals[1])
