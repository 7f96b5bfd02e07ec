"""Landing what an API answered: a batch of deliveries at once, by the same way as the rows of a file."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from ingest.inputs import Form
from ingest.jsongate import Lines, check_record, lines_of
from ingest.landfile import new_parts
from ingest.options import LandOptions
from ingest.parts import Engine, connected
from ingest.quarantinefile import QuarantineWriter
from ingest.reading import rules_of
from ingest.reasons import Refused, RefusedRow
from ingest.services import taker_of
from ingest.summary import FileSummary
from warehouse.control import InputRecord, next_quarantine_batch
from warehouse.home import Home
from warehouse.landing import WrittenQuarantine, landing_room, publish_input


def land_deliveries(
    home: Home,
    name: str,
    deliveries: Sequence[str],
    options: LandOptions,
    *,
    now: datetime,
    also: Callable[[sqlite3.Connection], None] | None = None,
) -> FileSummary:
    """Land deliveries, all at once.

    Args:
        home: where they land.
        name: how the batch is called in lists of landings.
        deliveries: their texts, each a row of its own.
        options: whose they are, and what the landing may use.
        now: the time of landing.
        also: writes what is to become true in the same transaction of the control database.

    Raises:
        BusyError: if another ingest does not end in time.
    """
    texts = [delivery.encode("utf-8", "surrogatepass") for delivery in deliveries]
    with landing_room(home, wait=options.wait) as room:
        with connected(room, Engine(options.threads, options.memory_limit)) as connection:
            parts = new_parts(home, connection, room, now, options.writer)
            taker = taker_of(parts, options, rules_of(options, now, is_mapped=False), place=None)
            assert taker is not None, options.writer
            batch = next_quarantine_batch(home.control)
            quarantine = QuarantineWriter(room / f"quarantine-{batch}", batch, now)
            try:
                taker.take(_checked(texts, options.max_text_bytes))
                taker.finish()
                quarantine.add(taker.drain_refused())
            finally:
                quarantine.close()
        record = InputRecord(
            name=name,
            form=Form.API.value,
            sha256=hashlib.sha256(b"\n".join(texts)).hexdigest(),
            bytes=sum(map(len, texts)),
            options=options.reading(),
            # Each answer is an input of its own, however equal: another time may have passed.
            fingerprint=f"api-{secrets.token_hex(8)}",
            rows_in=taker.records,
            landed=parts.landed,
            duplicate=parts.taken - parts.landed,
            quarantined=quarantine.rows,
            reasons=dict(quarantine.reasons),
            landed_at=now,
        )
        refused = WrittenQuarantine(quarantine.path, batch, quarantine.rows) if quarantine.rows else None
        publish_input(home, record, parts.finished, refused, also=also)
    return FileSummary(
        name, record.rows_in, record.landed, record.duplicate, record.quarantined, reasons=record.reasons
    )


def _checked(texts: Sequence[bytes], max_bytes: int) -> Lines:
    numbers, good, refused = [], [], []
    for number, text in enumerate(texts, start=1):
        try:
            good.append(check_record(text, max_bytes))
            numbers.append(number)
        except Refused as refusal:
            refused.append(RefusedRow(number, refusal.reason, refusal.detail, text))
    return lines_of(numbers, good, refused)
