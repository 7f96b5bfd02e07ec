"""SQL and the exact rule bring events of Meta out alike, whatever is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingest.messages import Messages
from tests.ingest.landings import assert_both_ways_agree, counts, jsonl, land
from tests.ingest.test_meta import ADA, FBP, SECONDS, TOKEN, pixel, purchase, sha256
from warehouse.home import Home

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
ID = st.one_of(TEXT, st.sampled_from(["ada", "Ada ", "", " ", "x" * 257, "A\u030aGE", "İ", None, 7, True]))
JSON = st.one_of(ID, st.floats(allow_nan=False, allow_infinity=False), st.just({}), st.just({"a": [1, {}]}))
HASHES = st.sampled_from([ADA, [ADA], [ADA, sha256("b")], [], ADA.upper(), "ada@x.org", ["x", None], None, 7, [[]], {}])
FIELD = st.one_of(HASHES, HASHES, JSON)
ADDRESSES = [
    "https://x.example/",
    "https://x.example/?utm_source=fb&utm_medium=cpc&fbclid=A",
    "?utm_source=&utm_source=b&xutm_term=c&utm_term==d",
    "a?b?utm_source=x",
    "a?utm_source=a%20b",
    "a?utm_source=a+b#utm_term=c",
    "&utm_source=x",
    "a&utm_source=x?utm_source=y",
    "é?utm_source=é;utm_term=x",
    "a?utm_source=a\nb",
]
ADDRESS = st.sampled_from(ADDRESSES)
#: What an event may hold beside a good name, time and customer: at most four of these.
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "event_name": ID,
    "event_id": ID,
    "event_time": st.sampled_from(
        [SECONDS, str(SECONDS), SECONDS * 1000, SECONDS + 0.5, 0, -1, 10**9, True, None, 1e9]
    ),
    "action_source": st.one_of(st.sampled_from(["app", "email", "fax", " app", None]), JSON),
    "event_source_url": st.one_of(ADDRESS, ADDRESS, JSON),
    "opt_out": JSON,
    "data_processing_options": st.sampled_from([[], ["LDU"], None]),
    "app_data": JSON,
    "test_event_code": JSON,
    "channel": ID,
    "access_token": TEXT,
    "data": JSON,
    "custom_data": st.one_of(
        st.dictionaries(
            st.sampled_from(["value", "currency", "a/b", "fbclid", "action_source", "access_token"]), JSON, max_size=3
        ),
        JSON,
    ),
    "user_data": st.one_of(
        st.dictionaries(
            st.sampled_from(["em", "ph", "external_id", "zp", "nickname", "access_token"]), FIELD, max_size=3
        ),
        st.dictionaries(
            st.sampled_from(["fbp", "fbc", "client_ip_address", "client_user_agent", "lead_id"]),
            st.one_of(st.sampled_from([FBP, "fb.1.2.3", "", None]), JSON),
            max_size=3,
        ),
        JSON,
    ),
}
EVENTS = [
    purchase(),
    purchase(event_id=None),
    purchase(event_source_url="https://x.example/?utm_source=fb&fbclid=A", custom_data={"value": 1.5, "ids": ["a"]}),
    purchase(user_data={"em": ADA, "fn": [ADA], "external_id": [ADA], "fbp": FBP, "client_user_agent": "curl"}),
]


@st.composite
def events(draw: st.DrawFn) -> Any:
    """An event that is good but for a few parts that may be anything."""
    chosen = draw(st.lists(st.sampled_from(sorted(PARTS)), max_size=4, unique=True))
    one = {**draw(st.sampled_from(EVENTS)), **{name: draw(PARTS[name]) for name in chosen}}
    return one if draw(st.integers(0, 40)) else draw(JSON)


@st.composite
def deliveries(draw: st.DrawFn) -> str:
    """One event, or a batch of them, as it was sent or in an envelope; a few are broken."""
    body: Any = draw(events())
    if draw(st.booleans()):
        said = draw(st.lists(st.sampled_from(["test_event_code", "partner_agent", "access_token", "x"]), max_size=2))
        body = {"data": draw(st.lists(events(), max_size=6))} | {key: draw(ID) for key in said}
    if draw(st.booleans()):
        channel = draw(st.sampled_from([{}, {"channel": "pixel"}, {"channel": "server"}, {"channel": "fax"}]))
        body = {"received_at": "2026-01-30T12:00:00Z", **channel, "body": body}
    text = json.dumps(body, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 15)) == 0:
        wrong = [("}", ",}"), ("}", "]"), (":", ":NaN,"), ('"em"', '"ph"'), ("{", '{"a":1e400,'), (": ", ":  ")]
        text = text.replace(*draw(st.sampled_from(wrong)), draw(st.integers(-1, 2)))
    return text


@settings(max_examples=4, phases=NO_SHRINKING)
@given(st.lists(deliveries(), min_size=30, max_size=30))
def test_sql_and_the_exact_rule_agree(lines: list[str]) -> None:
    """Every column of every row is the same, whichever of the two brought it in; so are the refusals."""
    assert_both_ways_agree("meta", lines)


@pytest.mark.slow
@settings(max_examples=200, phases=NO_SHRINKING)
@given(st.lists(deliveries(), min_size=60, max_size=60))
def test_sql_and_the_exact_rule_agree_at_length(lines: list[str]) -> None:
    """The same, 12,000 deliveries long."""
    assert_both_ways_agree("meta", lines)


def test_campaigns_are_read_of_every_address_alike() -> None:
    """Only what stands behind the question mark names a campaign; a shape is judged by its first and last message."""
    addresses = [ADDRESSES[1], *ADDRESSES, ADDRESSES[1]]
    events = (purchase(event_id=f"e{number}", event_source_url=one) for number, one in enumerate(addresses))
    assert_both_ways_agree("meta", [json.dumps(event) for event in events])


def test_plain_events_are_read_by_sql(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the tests above would compare the exact rule with itself."""
    asked: list[Any] = []
    monkeypatch.setattr("ingest.messages.BULK_BYTES", 0)
    monkeypatch.setattr(Messages, "_landed", lambda _, one, __: asked.append(one))
    batch = {"data": EVENTS, "test_event_code": "T1", "access_token": TOKEN}
    lines = [*EVENTS, batch, pixel(event_id="p"), pixel(event_id="q", user_data=None, action_source=None)]
    assert counts(land(home, jsonl(*lines), writer="meta"))[0] == 10
    assert asked == []
