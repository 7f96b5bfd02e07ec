"""Single messages that a template finds again land as the exact rule lands them, and no other does so by it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.bulk import Bulk
from ingest.messages import Messages
from ingest.messagetemplate import Form, template_of
from ingest.quarantine import quarantined_rows
from tests.ingest.landings import assert_templates_agree, counts, jsonl, land, landed
from tests.ingest.segments import call, envelope, message
from tests.ingest.test_meta import purchase
from tests.ingest.test_meta_contract import events
from tests.ingest.test_segment_contract import NO_SHRINKING, TIME, calls
from warehouse.home import Home

#: Two messages that between them have everything of the cases below.
FULL = message(
    context={"ip": "10.0.0.1", "page": {"url": "u", "title": "t"}, "campaign": {"name": "n"}},
    properties={"a": "x", "n": 1, "ok": True, "list": [1], "more": {"k": "v"}},
    integrations={},
)
BARE = message(userId=None, context={"ip": "10.0.0.2", "page": {"url": "u"}}, properties={"n": 2}, integrations={})
#: What is changed in the text of FULL: into something that is read otherwise, or is refused.
CHANGED = {
    "a key twice": ('"title": "t"', '"title": "t", "title": "t"'),
    "a key twice, far inside": ('"k": "v"', '"k": "v", "k": "v"'),
    "a key twice in a list": ('"list": [1]', '"list": [{"a": 1, "a": 1}]'),
    "an unknown key": ('"title": "t"', '"title": "t", "tab": 1'),
    "an unknown key inside": ('"k": "v"', '"k": {"l": {"m": 1}}'),
    "another order": ('"a": "x", "n": 1', '"n": 1, "a": "x"'),
    "a number for a text": ('"userId": "ada"', '"userId": 7'),
    "an empty id": ('"userId": "ada"', '"userId": ""'),
    "null for a text": ('"userId": "ada"', '"userId": null'),
    "an object for a text": ('"userId": "ada"', '"userId": {"a": 1}'),
    "null for an object": ('{"name": "n"}', "null"),
    "an empty object": ('{"name": "n"}', "{}"),
    "a list for an object": ('{"name": "n"}', '["n"]'),
    "an object for a scalar": ('"ok": true', '"ok": {"a": 1, "a": 2}'),
    "a list for a scalar": ('"ok": true', '"ok": [{"a": 1, "a": 2}]'),
    "a text for a scalar": ('"ok": true', '"ok": "true"'),
    "an exponent": ('"n": 1', '"n": 1e5'),
    "an infinite number": ('"n": 1', '"n": 1e400'),
    "minus infinity": ('"n": 1', '"n": -Infinity'),
    "no number": ('"n": 1', '"n": NaN'),
    "minus zero": ('"n": 1', '"n": -0'),
    "zeros at the end": ('"n": 1', '"n": 1.50'),
    "many digits": ('"n": 1', '"n": 0.1000000000000000055511151231257827'),
    "a large number": ('"n": 1', '"n": 18446744073709551616'),
    "an infinite number in a list": ("[1]", "[1, 1e400]"),
    "a lone comma": ('"k": "v"', '"k": "v",'),
    "a lone comma in a list": ("[1]", "[1,]"),
    "more white space": ('"n": 1', '"n":  1'),
    "less white space": ('"n": 1', '"n":1'),
    "an escape": ('"a": "x"', '"a": "\\u0041"'),
    "a quote": ('"a": "x"', '"a": "\\""'),
    "a lone surrogate": ('"a": "x"', '"a": "\\ud800"'),
    "NUL": ('"a": "x"', '"a": "\\u0000"'),
    "braces": ('"a": "x"', '"a": "{[,:}"'),
    "not ASCII": ('"a": "x"', '"a": "é"'),
    "a long text": ('"a": "x"', f'"a": "{"x" * 40_000}"'),
    "a long list": ("[1]", json.dumps([1] * 2_000)),
    "a deep list": ("[1]", "[" * 31 + "]" * 31),
    "no time": ('"2026-01-30T12:00:00Z"', '"yesterday"'),
    "an unknown call": ('"track"', '"tracked"'),
    "another call": ('"track"', '"page"'),
    "no type": ('"type": "track", ', ""),
    "a write key": ('"userId"', '"writeKey": "secret", "userId"'),
    "a batch": ('"userId"', '"batch": [], "userId"'),
    "an envelope inside": ('"userId"', '"received_at": "2026-01-30T12:00:00Z", "body": {}, "userId"'),
    "cut off": ('"integrations": {}}', '"integrations": {}'),
}


def lines_of(*, is_enveloped: bool) -> list[str]:
    """The two messages, and each change of the first."""
    texts = [json.dumps(FULL), json.dumps(BARE)]
    for name, (old, new) in CHANGED.items():
        assert old in texts[0], name
        texts.append(texts[0].replace(old, new, 1))
    # The first and the last message of a shape stand for all of it.
    texts.append(texts[0])
    numbered = [text.replace('"m1"', f'"m-{number}"') for number, text in enumerate(texts)]
    if not is_enveloped:
        return numbered
    return [f'{{"received_at": "2026-01-30T12:00:01Z", "channel": "track", "body": {text}}}' for text in numbered]


@pytest.mark.parametrize("is_enveloped", [False, True], ids=["bare", "enveloped"])
def test_what_differs_from_the_template_is_seen(is_enveloped: bool) -> None:
    """Whatever a text may hide, it lands or is refused as by the exact rule."""
    lines = lines_of(is_enveloped=is_enveloped)
    # A line of several messages, or of none, would make all lines be counted.
    lines = [line for line in lines if '"batch"' not in line]
    assert 6 <= assert_templates_agree("segment", lines, learnt_from=2) <= 12


@pytest.mark.parametrize("is_enveloped", [False, True], ids=["bare", "enveloped"])
def test_a_template_may_be_learnt_from_anything(is_enveloped: bool) -> None:
    """The same where the odd texts are those it is made of."""
    lines = lines_of(is_enveloped=is_enveloped)
    assert_templates_agree("segment", lines, learnt_from=len(lines))


ENVELOPES = [
    '{"received_at": "2026-01-30T12:00:01Z", "body": %s}',
    '{"received_at": "1999-01-30T12:00:01Z", "body": %s}',
    '{"received_at": "later", "body": %s}',
    '{"received_at": 1769774401, "body": %s}',
    '{"received_at": null, "body": %s}',
    '{"received_at": "2026-01-30T12:00:01Z", "channel": "track", "body": %s}',
    '{"received_at": "2026-01-30T12:00:01Z", "channel": "TRACK", "body": %s}',
    '{"received_at": "2026-01-30T12:00:01Z", "channel": null, "body": %s}',
    '{"received_at": "2026-01-30T12:00:01Z", "from": "here", "body": %s}',
    '{"body": %s, "received_at": "2026-01-30T12:00:01Z"}',
    "%s",
]


@pytest.mark.parametrize("first", [ENVELOPES[number] for number in (0, 2, 5, 6, 8, 9, 10)])
def test_envelopes_are_as_they_should_be(first: str) -> None:
    """A template of any envelope lets no other be read as it."""
    frames = [first, *ENVELOPES]
    lines = [frame % json.dumps(FULL).replace('"m1"', f'"m-{number}"') for number, frame in enumerate(frames)]
    assert_templates_agree("segment", lines, learnt_from=1)


@st.composite
def singles(draw: st.DrawFn) -> list[str]:
    """Deliveries of one call each, all in one spelling, in envelopes or not."""
    bodies = draw(st.lists(calls(), min_size=20, max_size=20))
    if draw(st.booleans()):
        bodies = [{"received_at": draw(TIME), "body": body} for body in bodies]
    spelling: dict[str, Any] = {"separators": draw(st.sampled_from([(", ", ": "), (",", ":")]))}
    spelling |= {"sort_keys": True, "ensure_ascii": draw(st.booleans())}
    return [json.dumps(body, **spelling) for body in bodies]


@settings(max_examples=4, phases=NO_SHRINKING)
@given(singles(), st.integers(1, 20))
def test_templates_and_the_exact_rule_agree(lines: list[str], learnt_from: int) -> None:
    """Random calls, by a template of the first of them."""
    assert_templates_agree("segment", lines, learnt_from=learnt_from)


@pytest.mark.slow
@settings(max_examples=100, phases=NO_SHRINKING)
@given(singles(), st.integers(1, 20))
def test_templates_and_the_exact_rule_agree_at_length(lines: list[str], learnt_from: int) -> None:
    """The same, 2,000 deliveries long."""
    assert_templates_agree("segment", lines, learnt_from=learnt_from)


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")], ids=["spaced", "compact"])
def test_plain_messages_are_written_by_a_template(
    home: Home, monkeypatch: pytest.MonkeyPatch, separators: tuple[str, str]
) -> None:
    """Otherwise the tests above would compare the exact rule with itself."""
    monkeypatch.setattr("ingest.messages.SINGLES", 0)
    monkeypatch.setattr(Bulk, "open", None)
    monkeypatch.setattr(Messages, "_landed", None)
    of_calls = [
        message(context={"ip": "10.0.0.1"}, properties={"n": 1}),
        call("page", name="Home", context={"ip": "10.0.0.1", "page": {"url": "u"}}),
        call("identify", userId="bob", traits={"email": "bob@x.org"}, context={}),
    ]
    lines = [
        json.dumps(envelope({**of_calls[number % 3], "messageId": f"m{number}"}), separators=separators)
        for number in range(60)
    ]
    assert counts(land(home, jsonl(*lines), writer="segment")) == (60, 60, 0, 0)
    assert landed(home, "row_number", "event_id") == [(number + 1, f"m{number}") for number in range(60)]


@st.composite
def payloads(draw: st.DrawFn) -> list[str]:
    """Payloads of Meta of one event each, in an array or bare, all in one spelling, in envelopes or not."""
    bodies = draw(st.lists(events(), min_size=20, max_size=20))
    if draw(st.booleans()):
        said = {"test_event_code": "T1", "access_token": "secret"}
        bodies = [{"data": [body], **draw(st.sampled_from([{}, said]))} for body in bodies]
    if draw(st.booleans()):
        bodies = [
            {"body": body, "channel": draw(st.sampled_from(["pixel", "server"])), "received_at": "2026-01-30T12:00:01Z"}
            for body in bodies
        ]
    separators = draw(st.sampled_from([(", ", ": "), (",", ":")]))
    return [json.dumps(body, separators=separators, sort_keys=True) for body in bodies]


@settings(max_examples=4, phases=NO_SHRINKING)
@given(payloads(), st.integers(1, 20))
def test_templates_and_the_exact_rule_agree_on_events_of_meta(lines: list[str], learnt_from: int) -> None:
    """Random events, by a template of the first of them."""
    assert_templates_agree("meta", lines, learnt_from=learnt_from)


@pytest.mark.slow
@settings(max_examples=100, phases=NO_SHRINKING)
@given(payloads(), st.integers(1, 20))
def test_templates_and_the_exact_rule_agree_on_events_of_meta_at_length(lines: list[str], learnt_from: int) -> None:
    """The same, 2,000 payloads long."""
    assert_templates_agree("meta", lines, learnt_from=learnt_from)


PAYLOADS = [
    '{"data": [%s]}',
    '{"data": [%s], "access_token": "secret"}',
    '{"data": [%s], "test_event_code": "T1"}',
    '{"data": [%s], "test_event_code": 7}',
    '{"data": [%s], "test_event_code": null}',
    '{"data": [%s], "upload_tag": "u"}',
    '{"data": [%s], "event_name": "Other"}',
    '{"data": [%s, {"event_name": "Lead"}]}',
    '{"data": [%s, 7]}',
    '{"data": []}',
    '{"data": {"0": %s}}',
    '{"data": [[%s]]}',
    "%s",
]


@pytest.mark.parametrize("first", [PAYLOADS[number] for number in (0, 1, 2, 4, 5, 7)])
def test_a_message_may_be_alone_in_its_array(first: str) -> None:
    """What its payload says beside it counts for it; of arrays of another length no template is used."""
    event = json.dumps(purchase(custom_data={"value": 1.5, "ids": ["a", "b"]}))
    frames = [first, first, *PAYLOADS, first]
    lines = [frame.replace("%s", event.replace('"order-1"', f'"o-{number}"', 1)) for number, frame in enumerate(frames)]
    for kept in (lines, [line for line in lines if json.loads(line).get("data") and '"Lead"' not in line]):
        assert_templates_agree("meta", kept, learnt_from=2)


def test_plain_events_of_meta_are_written_by_a_template(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each alone in its payload."""
    monkeypatch.setattr("ingest.messages.SINGLES", 0)
    monkeypatch.setattr(Bulk, "open", None)
    monkeypatch.setattr(Messages, "_landed", None)
    lines = [
        {"data": [purchase(event_id=f"e{number}")], "test_event_code": "T1", "access_token": "secret"}
        for number in range(60)
    ]
    assert counts(land(home, jsonl(*lines), writer="meta")) == (60, 60, 0, 0)
    assert {json.loads(metadata)["test_event_code"] for (metadata,) in landed(home, "metadata")} == {"T1"}


ODD: dict[str, tuple[list[bytes], int]] = {
    "refused": ([b'"\xff"', b"{", b"[]"], 3),
    "blank": ([b"", b"  "], 0),
    "a batch": ([json.dumps({"batch": [message(messageId="b1"), message(messageId="b2")]}).encode()], 2),
    "an escaped batch": ([b'{"b\\u0061tch": []}'], 0),
}


@pytest.mark.parametrize("name", ODD)
def test_messages_keep_their_numbers(home: Home, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A row is a message: what stands between single ones is counted, in a later block, too."""
    monkeypatch.setattr("ingest.messages.SINGLES", 0)
    monkeypatch.setattr("ingest.jsongate.BLOCK_BYTES", 4_000)
    monkeypatch.setattr("ingest.messages.BATCH_BYTES", 8_000)
    odd, messages = ODD[name]
    lines = [json.dumps(message(messageId=f"m{number}")).encode() for number in range(400)]
    summary = land(home, jsonl(*lines[:100], *odd, *lines[100:]), writer="segment")
    assert summary.rows_in == 400 + messages
    numbers = {id_: number for number, id_ in landed(home, "row_number", "event_id")}
    assert [numbers[f"m{number}"] for number in range(400)] == [*range(1, 101), *range(101 + messages, 401 + messages)]
    refused = sorted(row.row_number for row in quarantined_rows(home))
    assert refused == ([101, 102, 103] if name == "refused" else [])


def test_what_a_template_knows() -> None:
    """Texts, other scalars, objects that are taken apart, and what may be anything."""
    template = template_of([FULL, BARE], [(), ("context",)], "batch", is_spaced=True)
    assert template is not None
    forms = {".".join(path): node.form for path, node in template.nodes.items()}
    assert forms["context.page"] is Form.OBJECT
    assert forms["context.page.title"] is forms["userId"] is Form.TEXT
    assert forms["properties.ok"] is forms["properties.n"] is Form.SCALAR
    assert forms["properties.list"] is Form.ANY
    assert template.nodes["userId",].is_optional
    assert template_of([{"a": 1}, 2], [()], "batch", is_spaced=True) is None
    assert template_of([{"": 1}], [()], "batch", is_spaced=True) is None
    assert template_of([{"context": []}], [(), ("context",)], "batch", is_spaced=True) is None
