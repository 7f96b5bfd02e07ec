"""Bad and odd JSON inside what services deliver: refused with its reason or kept as it is, in every form of a delivery.

The cases are those of test_json_corpus.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.quarantine import quarantined_rows
from ingest.reasons import Reason
from tests.ingest.landings import counts, jsonl, land, landed
from tests.ingest.stripes import CREATED, landed_stripe
from tests.ingest.test_json_corpus import KEPT, PROPERTIES, REFUSED
from warehouse.home import Home

#: A message of each service with something of anybody's own in it.
MESSAGES: dict[Any, str] = {
    "segment": '{"type":"track","event":"x","messageId":"%(id)s","userId":"u","timestamp":"2026-01-30T12:00:00Z",'
    '"properties":%(inner)s}',
    "meta": '{"event_name":"x","event_time":%(created)s,"event_id":"%(id)s","action_source":"app","user_data":{},'
    '"custom_data":%(inner)s}',
    "stripe": '{"id":"%(id)s","object":"event","type":"x","created":%(created)s,"livemode":true,"data":{"object":'
    '{"id":"cus_1","object":"customer","metadata":%(inner)s}}}',
}
BATCHES = {"segment": '{"batch": [%s]}', "meta": '{"data": [%s]}', "stripe": '{"object": "list", "data": [%s]}'}
ENVELOPE = '{"received_at": "2026-01-30T12:00:00Z", "body": %s}'
FORMS = [(writer, form) for writer in MESSAGES for form in ("single", "batch", "envelope")]

_HEAD = PROPERTIES.partition("%s")[0]
#: What stands among the properties of an event, and what is no event at all.
INNER = [(name, line[len(_HEAD) : -1], why) for name, line, why in REFUSED if str(line).startswith(_HEAD)]
WHOLE = [
    (name, line, why)
    for name, line, why in REFUSED
    if name.startswith(("C07", "C10", "C13", "C14", "C16")) and not str(line).startswith(_HEAD)
]
#: What is too much among properties; of Stripe all of a body is taken.
LIMITS = [
    (name, json.dumps(json.loads(line)["properties"]), why)
    for name, line, why in REFUSED
    if name.startswith(("C17", "C18"))
]


def message(writer: str, id_: str, inner: str) -> str:
    """A message of a service that holds a JSON text."""
    return MESSAGES[writer] % {"id": id_, "created": CREATED, "inner": inner}


def framed(writer: str, form: str, text: str | bytes) -> bytes:
    """A message as it is delivered: alone, in a batch, or in an envelope."""
    frame = {"single": "%s", "batch": BATCHES[writer], "envelope": ENVELOPE}[form]
    return frame.encode().replace(b"%s", text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(("writer", "form"), FORMS)
def test_what_no_event_may_hold_no_message_may_hold(home: Home, writer: Any, form: str) -> None:
    """Each delivery waits under its line with its reason, nothing crashes, and the good one behind them lands."""
    inside = INNER if writer == "stripe" else [*INNER, *LIMITS]
    cases = [(name, message(writer, "bad", inner), why) for name, inner, why in inside] + WHOLE
    lines = [framed(writer, form, text) for _, text, _ in cases]
    summary = land(home, jsonl(*lines, message(writer, "good", "{}")), writer=writer)
    assert counts(summary) == (len(cases) + 1, 1, 0, len(cases))
    found = {row.row_number: row.reason for row in quarantined_rows(home)}
    different = {
        name: found[number] for number, (name, _, why) in enumerate(cases, start=1) if found[number] != why.value
    }
    # In an envelope a text is taken for a body.
    assert different == ({"C16 text": Reason.NOT_JSON.value} if form == "envelope" else {})


def test_the_corpus_is_not_empty() -> None:
    """Every group of what JSON itself may do wrong is among the cases."""
    groups = {name.split()[0] for name, *_ in [*INNER, *WHOLE, *LIMITS]}
    assert groups == {f"C{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 9, 10, 13, 14, 15, 16, 17, 18, 20)}


@pytest.mark.parametrize(("writer", "form"), FORMS)
def test_what_a_message_holds_is_kept(home: Home, writer: Any, form: str) -> None:
    """As the canonical text of its properties; of Stripe to the letter."""
    messages = {name: message(writer, f"e{number}", text) for number, (name, text) in enumerate(KEPT)}
    lines = [framed(writer, form, text) for text in messages.values()]
    assert counts(land(home, jsonl(*lines), writer=writer)) == (len(KEPT), len(KEPT), 0, 0)
    if writer == "stripe":
        assert sorted(landed_stripe(home, "body")) == sorted((text,) for text in messages.values())
        return
    properties = [json.loads(text) for (text,) in landed(home, "properties")]
    assert [dict(one) for one in properties] == [json.loads(text) | _added(writer) for _, text in KEPT]
    if writer == "segment":
        assert sorted(landed(home, "properties")) == sorted((text,) for _, text in KEPT)


def _added(writer: str) -> dict[str, str]:
    """What a service's message says besides, which lands among its properties."""
    return {"action_source": "app"} if writer == "meta" else {}
