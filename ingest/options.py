"""How an ingest reads its inputs, and what it may use."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from ingest.inputs import Form
from ingest.mapping import Mapping
from models import limits
from models.event import Source

#: Who wrote what is to be read: an application its events, or one of the services that are known here.
Writer = Literal["events", "segment", "meta", "stripe"]

_SOURCES: dict[Writer, Source] = {"events": "app", "segment": "segment", "meta": "meta_pixel", "stripe": "stripe"}


@dataclass(frozen=True)
class LandOptions:
    """How inputs are read.

    Attributes:
        writer: whose files they are.
        received_at: when deliveries that do not say so themselves were received; for the files of a service.
        account: the connected account of deliveries of Stripe that name none.
        livemode: the mode of deliveries of Stripe that do not say it.
        mapping: what the columns of a file hold; None leaves it to the header.
        source: the source of events that name none; by default ``app`` for JSON events, ``custom`` for mapped rows.
        tz: the IANA zone of times without one in mapped files; the mapping's, or UTC, by default.
        trusted: whether Parquet and CSV files are known to be clean.
        threads: threads of the database.
        memory_limit: memory of the database.
        wait: how long to wait for another ingest to end: seconds, or True for ever.
    """

    writer: Writer = "events"
    received_at: datetime | None = None
    account: str = ""
    livemode: bool | None = None
    mapping: Mapping | None = None
    source: Source | None = None
    tz: str | None = None
    trusted: bool = False
    threads: int = 2
    memory_limit: str = "2GB"
    wait: bool | float = 60

    @property
    def zone(self) -> str:
        """The zone of naive times."""
        return self.tz or (self.mapping.tz if self.mapping else None) or "UTC"

    @property
    def max_text_bytes(self) -> int:
        """How large one JSON text may be: what Stripe's API answers is read, too, and that comes in lists."""
        return limits.MAX_LIST_BYTES if self.writer == "stripe" else limits.MAX_EVENT_BYTES

    def source_for(self, *, is_mapped: bool) -> str:
        """The source of rows that name none."""
        named = self.source or (self.mapping.source if self.mapping else None)
        return named or ("custom" if is_mapped else _SOURCES[self.writer])

    def reading(self) -> dict[str, Any]:
        """What decides how bytes become rows, as plain values; with it an input can be read again."""
        mapping = (
            None if self.mapping is None else self.mapping.model_dump(mode="json", by_alias=True, exclude_unset=True)
        )
        reading = {"mapping": mapping, "source": self.source, "tz": self.tz, "trusted": self.trusted}
        if self.writer != "events":
            reading["writer"] = self.writer
        if self.received_at is not None:
            reading["received_at"] = self.received_at.isoformat()
        if self.account:
            reading["account"] = self.account
        if self.livemode is not None:
            reading["livemode"] = self.livemode
        return reading

    def fingerprint(self, form: Form) -> str:
        """A hash of what decides how bytes become rows."""
        text = json.dumps({**self.reading(), "form": form.value}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @staticmethod
    def from_reading(reading: dict[str, Any], base: LandOptions) -> LandOptions:
        """The options of an earlier ingest, with the resources of ``base``."""
        mapping, received_at = reading.get("mapping"), reading.get("received_at")
        return replace(
            base,
            writer=reading.get("writer", "events"),
            received_at=None if received_at is None else datetime.fromisoformat(received_at),
            account=reading.get("account", ""),
            livemode=reading.get("livemode"),
            mapping=None if mapping is None else Mapping.model_validate(mapping),
            source=reading.get("source"),
            tz=reading.get("tz"),
            trusted=bool(reading.get("trusted")),
        )
