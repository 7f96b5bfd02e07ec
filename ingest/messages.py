"""The messages of a service on their way to landing files.

A row is a message: its number is its ordinal in the file. A delivery that is no strict JSON counts as one message and
is quarantined whole; a message that cannot land is quarantined by itself, with all that its delivery said of it, so
that it lands later as it would have landed then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ingest import strictjson
from ingest.delivery import Delivery, open_delivery
from ingest.eventcheck import Rules, check_event
from ingest.jsongate import Lines
from ingest.parts import Parts
from ingest.reasons import Reason, Refused, RefusedRow
from ingest.redaction import redacted
from ingest.service import Receipt, Service, messages_of

_BLANK = " \t\r\n"


class Messages:
    """Takes the deliveries of one input, block by block.

    Args:
        parts: where the rows go.
        rules: what holds for all rows.
        service: whose deliveries they are.
        received_at: when deliveries were received that do not say so themselves.
        place: what a text is called in a message (line, element); None if each text is one row that is tried again,
            and its number is the row's.
    """

    def __init__(
        self,
        parts: Parts,
        rules: Rules,
        service: Service,
        *,
        received_at: datetime | None = None,
        place: str | None = "line",
    ) -> None:
        self.records = 0
        self._parts = parts
        self._rules = rules
        self._service = service
        self._received_at = received_at
        self._place = place
        self._refused: list[RefusedRow] = []

    def take(self, lines: Lines) -> None:
        """Take a block of texts; blank ones hold nothing."""
        checked: list[dict[str, Any]] = []
        for line, text in _in_order(lines):
            if isinstance(text, RefusedRow):
                self._refuse(self._next_number(line), line, Refused(text.reason, text.detail), text.raw)
            elif text.strip(_BLANK):
                checked += self._checked(line, text)
        self._parts.add_checked(checked)

    def finish(self) -> None:
        """Write what is waiting."""
        self._parts.flush_checked()

    def drain_refused(self) -> list[RefusedRow]:
        """The messages refused since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def _next_number(self, line: int) -> int:
        self.records += 1
        return self.records if self._place else line

    def _checked(self, line: int, text: str) -> Iterator[dict[str, Any]]:
        """The landed form of a delivery's messages; those that have none are refused."""
        try:
            delivery = open_delivery(text, self._rules.times)
        except Refused as refusal:
            self._refuse(self._next_number(line), line, refusal, text.encode())
            return
        receipt = Receipt(delivery.received_at, self._received_at, delivery.channel)
        for place, message in messages_of(delivery.value, self._service):
            number = self._next_number(line)
            try:
                yield self._landed(message, receipt) | {"row_number": number}
            except Refused as refusal:
                self._refuse(number, line, refusal, _self_contained(message, delivery), place)

    def _landed(self, message: Any, receipt: Receipt) -> dict[str, Any]:
        if not isinstance(message, dict):
            raise Refused(Reason.NOT_AN_OBJECT, "a message is a JSON object")
        return check_event(self._service.to_event(message, receipt), self._rules)

    def _refuse(self, number: int, line: int, refusal: Refused, raw: bytes, place: int | None = None) -> None:
        where = f" ({self._place} {line}{f', message {place}' if place else ''})" if self._place else ""
        raw = redacted(raw, self._service.secret_keys)
        self._refused.append(RefusedRow(number, refusal.reason, refusal.detail + where, raw))


def _in_order(lines: Lines) -> list[tuple[int, str | RefusedRow]]:
    """The texts of a block, and those that no parser may see, by their numbers."""
    found: list[tuple[int, str | RefusedRow]] = [(row.row_number or 0, row) for row in lines.refused]
    found += zip(lines.numbers.to_pylist(), lines.texts.to_pylist(), strict=True)
    return sorted(found, key=lambda one: one[0])


def _self_contained(message: Any, delivery: Delivery) -> bytes:
    """A message with what its delivery said of it, as a delivery of its own."""
    text = strictjson.write(message)
    if delivery.received_at is not None:
        channel = "" if delivery.channel is None else f'"channel":{strictjson.quote(delivery.channel)},'
        text = f'{{"received_at":"{delivery.received_at:%Y-%m-%dT%H:%M:%S.%fZ}",{channel}"body":{text}}}'
    return text.encode()
