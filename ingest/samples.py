"""Messages that stand for others: what the exact way brings out for each, to hold what SQL brings out against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from ingest.eventcheck import Rules, check_event
from ingest.landing_sql import CHECKED, RawRows, landed_select
from ingest.parts import Parts
from ingest.reasons import Refused
from ingest.service import Receipt, Service, with_shared, without_secrets

#: So many new shapes are looked at in one go, the most frequent first; the messages of others go the exact way.
MOST_SHAPES = 2_000
REMEMBERED_SHAPES = 100_000
_NONE: Mapping[str, Any] = MappingProxyType({})
_COMPARED = [name for name in CHECKED if name not in ("row_number", "event_id")]


@dataclass(frozen=True)
class ExactWay:
    """Brings messages out by the complete rule of their service.

    Attributes:
        service: whose messages they are.
        rules: what holds for all rows.
        received_at: when deliveries were received that do not say so themselves.
    """

    service: Service
    rules: Rules
    received_at: datetime | None

    def row(
        self, message: Any, received_at: datetime | None, channel: str | None, shared: Mapping[str, Any] = _NONE
    ) -> dict[str, Any] | None:
        """What comes out for a parsed message, None if it is refused.

        Args:
            message: the message.
            received_at: of its envelope.
            channel: of its envelope.
            shared: what its batch says for all.
        """
        if not isinstance(message, dict):
            return None
        receipt = Receipt(received_at, self.received_at, channel)
        try:
            message = with_shared(without_secrets(message, self.service), dict(shared), self.service)
            row = check_event(self.service.to_event(message, receipt), self.rules)
        except Refused:
            return None
        return {name: row[name] for name in _COMPARED} | ({"event_id": row["event_id"]} if row["event_id"] else {})


def rows_by_sql(parts: Parts, raw: RawRows, rules: Rules) -> dict[int, dict[str, Any]]:
    """What SQL brings out of messages, by their row_number, in the form of ``ExactWay.row``."""
    names = [*_COMPARED, *(["event_id"] if "event_id" in raw.fields else [])]
    query = f"select row_number, {', '.join(names)} from ({landed_select(raw, rules)})"
    found = parts.connection.execute(query).fetchall()
    return {number: dict(zip(names, row, strict=True)) for number, *row in found}


def shapes_table(shapes: Iterable[int]) -> pa.Table:
    """Shapes as a relation with one column."""
    return pa.table({"shape": pa.array(sorted(shapes), pa.uint64())})
