"""Deliveries of a service: what was sent, and when and by which way we received it.

A file holds bodies as they were sent, or each in an envelope: ``{"received_at": "…", "body": …}``, with ``channel``
where a service has several. The body is an object, or a text that holds it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest import strictjson
from ingest.reasons import Reason, Refused
from ingest.strictjson import shown
from ingest.times import TimeRange, instant
from warehouse.sql import quote_literal

#: The keys that make an object an envelope, and those that one may have.
ENVELOPE_NEEDS = frozenset({"received_at", "body"})
ENVELOPE_KEYS = ENVELOPE_NEEDS | {"channel"}
#: What a channel is called.
WORD = "[a-z_]{1,32}"
_LENIENT = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)
_WORD = re.compile(WORD)
# What an envelope looks like whose body can be cut out without parsing: the body stands last.
_HEAD = r'^\{ ?"received_at": ?"([0-9TZtz:+. -]{1,40})", ?(?:"channel": ?"([a-z_]{1,32})", ?)?"body": ?\{'


@dataclass(frozen=True)
class Delivery:
    """One body as it was sent (``text``; ``value`` is what it says), and what is known of its receipt."""

    text: str
    value: Any
    received_at: datetime | None = None
    channel: str | None = None


def open_delivery(text: str, times: TimeRange) -> Delivery:
    """Take a text out of its envelope, if it is in one.

    Args:
        text: what ``jsongate.check_record`` let through.
        times: within which a delivery may have been received.

    Raises:
        Refused: if the text is no strict JSON, or an envelope that is not as it should be.
    """
    value = strictjson.parse(text)
    if not isinstance(value, dict) or not value.keys() >= ENVELOPE_NEEDS:
        return Delivery(text, value)
    if extra := value.keys() - ENVELOPE_KEYS:
        raise Refused(
            Reason.UNKNOWN_VALUE, f"{shown(min(extra))} is no key of an envelope (received_at, channel, body)"
        )
    received_at = instant("received_at", value["received_at"])
    times.check("received_at", received_at)
    channel = value.get("channel")
    if channel is not None and not (isinstance(channel, str) and _WORD.fullmatch(channel)):
        raise Refused(Reason.UNKNOWN_VALUE, "channel is no word of small letters")
    body = value["body"]
    if isinstance(body, str):
        return Delivery(body, strictjson.parse(body), received_at, channel)
    return Delivery(member_text(text, "body"), body, received_at, channel)


def member_text(text: str, name: str) -> str:
    """A member of a JSON object as it is written there; the object is known to have it."""
    start, end = member_span(text, name)
    return text[start:end]


def member_span(text: str, name: str) -> tuple[int, int]:
    """Where a member of a JSON object, which is known to have it, is written: its start and its end."""
    position = text.index("{") + 1
    while True:
        key, position = _LENIENT.raw_decode(text, _past(text, position))
        position = _past(text, _past(text, position) + 1)
        _, end = _LENIENT.raw_decode(text, position)
        if key == name:
            return position, end
        position = _past(text, end) + 1


def element_texts(text: str) -> Iterator[str]:
    """The elements of a JSON array as they are written there."""
    position = _past(text, text.index("[") + 1)
    while text[position] != "]":
        _, end = _LENIENT.raw_decode(text, position)
        yield text[position:end]
        position = _past(text, end)
        if text[position] == ",":
            position = _past(text, position + 1)


def _past(text: str, position: int) -> int:
    """Where the white space from a position on ends."""
    while text[position] in " \t\r\n":
        position += 1
    return position


def opened_deliveries(relation: str) -> str:
    """The query that takes texts out of plain envelopes without parsing them.

    Args:
        relation: texts that are JSON (``row_number``, ``text``).

    Returns: a query for ``row_number``, ``body``, ``received_text`` and ``channel`` of each text: its body as it is
    written, and the text of the time of receipt; where the text is in no plain envelope, the whole text and nulls.
    A body is JSON if and only if the text was that envelope: the caller checks it.
    """
    # Looking for blanks at the ends costs far more than finding that there are none.
    trimmed = "case when starts_with(text, '{') and ends_with(text, '}') then text else trim(text, ' \t\r') end"
    # Split at its quotes, a head is: {, received_at, a colon, the time, a comma, and so on with the channel.
    return f"""
        select
            row_number,
            case when not is_enveloped then text when ends_with(inside, '}}') then inside
                else rtrim(inside, ' \t\r') end as body,
            case when is_enveloped then split_part(head, '"', 4) end as received_text,
            case when is_enveloped then nullif(split_part(head, '"', 8), '') end as channel
        from (
            select *, head <> '' and ends_with(text, '}}') as is_enveloped,
                substr(text, strlen(head), length(text) - strlen(head)) as inside
            from (
                select *, regexp_extract(text, {quote_literal(_HEAD)}) as head
                from (select row_number, {trimmed} as text from {relation})
            )
        )
    """
