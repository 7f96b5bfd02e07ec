"""Deliveries in and out of their envelopes."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import duckdb
import pytest

from ingest.delivery import open_delivery, opened_deliveries
from ingest.reasons import Refused
from ingest.times import TimeRange

NOW = datetime(2026, 2, 1, tzinfo=timezone.utc)
TIMES = TimeRange.at(NOW)
RECEIVED = datetime(2026, 1, 30, 12, 0, 0, 250000, tzinfo=timezone.utc)
TIME = "2026-01-30T12:00:00.250Z"

BODIES = ["{}", '{"a": 1.50, "b": "\\u00e9"}', '{"body": {"body": "}"}, "é": [1,2]}', '{"received_at":"x"}']
ENVELOPES = [
    '{"received_at": "%s", "body": %s}',
    '{"received_at":"%s","body":%s}',
    '{"received_at": "%s", "channel": "pixel", "body": %s} \r',
    ' {"received_at" : "%s","body" :  %s }',
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_a_body_comes_out_as_it_was_written(envelope: str, body: str) -> None:
    """Verbatim, with the time of receipt and the channel."""
    delivery = open_delivery(envelope % (TIME, body), TIMES)
    assert (delivery.text, delivery.value, delivery.received_at) == (body, json.loads(body), RECEIVED)
    assert delivery.channel == ("pixel" if "pixel" in envelope else None)


@pytest.mark.parametrize("body", BODIES)
def test_the_body_may_stand_anywhere_and_be_a_text(body: str) -> None:
    """Before the other keys, and as a JSON string."""
    first = open_delivery(f'{{"body":{body},"received_at":"{TIME}"}}', TIMES)
    as_text = open_delivery(json.dumps({"received_at": TIME, "body": body}), TIMES)
    assert first == as_text
    assert first.text == body


@pytest.mark.parametrize("body", ["[]", "3", '{"received_at": "2026"}', '{"body": 1}', *BODIES])
def test_what_is_in_no_envelope_is_a_body(body: str) -> None:
    """Only the two keys together make an envelope."""
    assert open_delivery(body, TIMES).text == body


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"received_at": "soon", "body": {}}', "received_at 'soon'"),
        ('{"received_at": "1999-01-01T00:00:00Z", "body": {}}', "is not between 2000-01-01"),
        (f'{{"received_at": "{TIME}", "body": {{}}, "extra": 1}}', "'extra' is no key of an envelope"),
        (f'{{"received_at": "{TIME}", "body": {{}}, "channel": "A b"}}', "channel is no word"),
        (f'{{"received_at": "{TIME}", "body": "{{"}}', "at character"),
        (f'{{"received_at": "{TIME}", "body": {{"a": 1, "a": 2}}}}', "'a'"),
    ],
)
def test_an_envelope_that_is_not_as_it_should_be_is_refused(text: str, complaint: str) -> None:
    """With what is wrong."""
    with pytest.raises(Refused, match=complaint):
        open_delivery(text, TIMES)


def test_sql_opens_envelopes_like_python() -> None:
    """Where SQL finds a JSON body, it is the one that Python finds; else it leaves the text as it is."""
    texts = [envelope % (TIME, body) for envelope in ENVELOPES for body in BODIES]
    texts += [*BODIES, f'{{"received_at": "{TIME}", "body": {{}}, "extra": {{}}}}']
    texts += [f'{{"received_at": "{TIME}", "body": {{}}{end}' for end in ("]", "", " x", "\t\r")]
    with duckdb.connect() as connection:
        connection.execute("create table texts (row_number bigint, text varchar)")
        connection.executemany("insert into texts values (?, ?)", list(enumerate(texts)))
        rows = connection.execute(
            f"select *, json_valid(body) from ({opened_deliveries('texts')}) order by row_number"
        ).fetchall()
    opened = 0
    for number, body, received, channel, is_valid in rows:
        if received is None:
            assert body == texts[number].strip(" \t\r")
        elif is_valid:
            opened += 1
            delivery = open_delivery(texts[number], TIMES)
            assert (delivery.text, delivery.channel, received) == (body, channel, TIME)
    assert opened == 3 * len(BODIES)
