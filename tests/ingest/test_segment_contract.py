"""SQL and the exact rule bring Segment messages out alike: random deliveries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingest.messages import Messages
from tests.ingest.landings import assert_both_ways_agree, counts, jsonl, land
from tests.ingest.segments import call, envelope, message
from warehouse.home import Home

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
ID = st.one_of(
    TEXT, st.sampled_from(["ada", "Ada ", "", " ", "x" * 256, "x" * 257, "A\u030aGE", "7", None, 7, 0, True])
)
EMAIL = st.one_of(ID, st.sampled_from(["Ada@X.org", " ada@x.org", "a@b@c", "ü@x.org", "@", "x" * 250 + "@x.org"]))
TIME = st.sampled_from(
    ["2026-01-30T12:00:00Z", "2026-01-30T11:00:00.5+01:00", "2026-02-30T00:00:00Z", "1999-01-01T00:00:00Z", "soon"]
    + ["2026-01-30T12:00:01Z"] * 5
)
MOMENT = st.one_of(TIME, TIME, st.sampled_from([1769774400, 1769774400123, None, "", True]))
JSON = st.one_of(ID, st.floats(allow_nan=False, allow_infinity=False), st.just({}), st.just({"a": [1, {}]}))
OBJECT = st.one_of(
    st.dictionaries(st.sampled_from(["a", "b", "name", "url", "category"]), JSON, max_size=3),
    st.sampled_from([None, {}, [], "x"]),
)
TRAITS = st.one_of(st.fixed_dictionaries({"email": EMAIL, "plan": JSON}), OBJECT)
CONTEXT = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "ip": ID,
            "userAgent": ID,
            "user_agent": ID,
            "groupId": ID,
            "sessionId": ID,
            "device": st.one_of(st.fixed_dictionaries({"id": ID}), JSON),
            "campaign": st.one_of(st.fixed_dictionaries({"name": ID, "source": TEXT}), JSON),
            "page": st.fixed_dictionaries({}, optional={"url": ID, "title": TEXT}),
            "traits": TRAITS,
            "os": JSON,
            "a/b": JSON,
        },
    ),
    st.sampled_from([None, {}, "x"]),
)
#: What a message may hold beside a good type, id and time: at most four of these.
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["track", "page", "screen", "identify", "group", "alias", "Track", 7, None]),
    "messageId": ID,
    "event": ID,
    "userId": ID,
    "user_id": ID,
    "anonymousId": ID,
    "groupId": ID,
    "previousId": EMAIL,
    "sessionId": ID,
    "name": JSON,
    "category": JSON,
    "timestamp": MOMENT,
    "originalTimestamp": MOMENT,
    "sentAt": MOMENT,
    "receivedAt": MOMENT,
    "properties": OBJECT,
    "traits": TRAITS,
    "context": CONTEXT,
    "integrations": OBJECT,
    "_metadata": JSON,
    "writeKey": TEXT,
    "action": ID,
}
CALLS = [
    message(),
    message(properties={"a": 1}, context={"ip": "10.0.0.1"}),
    call("page", name="Home", context={"page": {"url": "u"}}),
    call("screen", name="Home", category="c", properties={"name": "Home"}),
    call("identify", traits={"email": "ada@x.org"}),
    call("group", groupId="g", traits={"a": 1}),
    call("alias", previousId="p"),
]


@st.composite
def calls(draw: st.DrawFn) -> Any:
    """A call that is good but for a few parts that may be anything."""
    chosen = draw(st.lists(st.sampled_from(sorted(PARTS)), max_size=4, unique=True))
    number = draw(st.integers(0, 99))
    one = {**draw(st.sampled_from(CALLS)), "messageId": f"m{number}"} | {name: draw(PARTS[name]) for name in chosen}
    return one if draw(st.integers(0, 40)) else draw(JSON)


@st.composite
def deliveries(draw: st.DrawFn) -> str:
    """One call, or a batch of them, as it was sent or in an envelope; a few are broken."""
    body: Any = draw(calls())
    if draw(st.booleans()):
        said = draw(st.lists(st.sampled_from(["sentAt", "context", "integrations", "writeKey", "extra"]), max_size=2))
        body = {"batch": draw(st.lists(calls(), max_size=6))} | {key: draw(PARTS.get(key, JSON)) for key in said}
    if draw(st.booleans()):
        body = {"received_at": draw(TIME), "body": body}
    text = json.dumps(body, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 15)) == 0:
        wrong = [("}", ",}"), ("}", "]"), (":", ":NaN,"), ('"a"', '"b"'), ("{", '{"a":1e400,'), (": ", ":  ")]
        text = text.replace(*draw(st.sampled_from(wrong)), draw(st.integers(-1, 2)))
    return text


@settings(max_examples=4, phases=NO_SHRINKING)
@given(st.lists(deliveries(), min_size=30, max_size=30))
def test_sql_and_the_exact_rule_agree(lines: list[str]) -> None:
    """Every column of every row is the same, whichever of the two brought it in; so are the refusals."""
    assert_both_ways_agree("segment", lines)


@pytest.mark.slow
@settings(max_examples=200, phases=NO_SHRINKING)
@given(st.lists(deliveries(), min_size=60, max_size=60))
def test_sql_and_the_exact_rule_agree_at_length(lines: list[str]) -> None:
    """The same, 12,000 deliveries long."""
    assert_both_ways_agree("segment", lines)


def test_plain_messages_are_read_by_sql(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the tests above would compare the exact rule with itself."""
    asked: list[Any] = []
    monkeypatch.setattr("ingest.messages.BULK_BYTES", 0)
    monkeypatch.setattr(Messages, "_landed", lambda _, one, __: asked.append(one))
    lines = [*CALLS[:-1], {"batch": CALLS[:-1], "sentAt": "2026-01-30T12:00:00Z"}, envelope(CALLS[0])]
    numbered = json.loads(json.dumps(lines))
    for number, one in enumerate([*numbered[:6], *numbered[6]["batch"], numbered[7]["body"]]):
        one["messageId"] = f"m{number}"
    assert counts(land(home, jsonl(*numbered), writer="segment")) == (13, 13, 0, 0)
    assert asked == []
