"""One input from its bytes to its landing files: all of its rows land, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ingest.duplicates import Duplicates
from ingest.inputs import Input, Opened, opened
from ingest.knownkeys import KnownKeys
from ingest.likely import likely_writer
from ingest.options import LandOptions, Writer
from ingest.parts import EVENTS, Engine, Parts, Repeats, connected
from ingest.quarantinefile import QuarantineWriter
from ingest.reading import Reading, read_input
from ingest.striperepeats import StripeRepeats
from ingest.stripesql import stripe_landable
from ingest.summary import FileSummary
from models.landing import EVENT, STRIPE
from warehouse.control import (
    InputRecord,
    inputs_of_content,
    known_input,
    landed_files,
    last_batch_seq,
    may_know_input,
    next_quarantine_batch,
)
from warehouse.files import sha256_file
from warehouse.home import Home
from warehouse.landing import WrittenQuarantine, landing_room, publish_input

#: Called with the bytes of the input that have been read and how many there are.
OnProgress = Callable[[int, int], None]


def land_file(
    home: Home,
    source: Input,
    options: LandOptions,
    *,
    now: datetime,
    on_progress: OnProgress | None = None,
    known: KnownKeys | None = None,
) -> FileSummary:
    """Land one input; ``known`` is what a run over several inputs remembers of landing files.

    Raises:
        BrokenFile: if it cannot be read to its end; nothing of it has landed.
        UnmappableColumns: if nobody says what its columns hold; nothing of it has landed.
        BusyError: if another ingest does not end in time.
    """
    with landing_room(home, wait=options.wait) as room:
        with opened(source) as file:
            seen = _seen_before(home, file, options)
            if seen is not None:
                return seen
            with connected(room, Engine(options.threads, options.memory_limit)) as connection:
                batch = next_quarantine_batch(home.control)
                quarantine = QuarantineWriter(room / f"quarantine-{batch}", batch, now)
                parts = new_parts(home, connection, room, now, options.writer, known)
                tell = _teller(file, on_progress)
                work = Reading(file, options, now, parts, quarantine, tell)
                try:
                    read_input(work, room)
                finally:
                    quarantine.close()
            sha256 = file.raw.finish()
            tell()
        return _publish(home, work, sha256)


def new_parts(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    room: Path,
    now: datetime,
    writer: Writer,
    known: KnownKeys | None = None,
) -> Parts:
    """The landing files of an input that begins to be read."""
    known = known or KnownKeys()

    def landed_events(first: datetime, last: datetime) -> list[Path]:
        files = landed_files(home.control, entity=EVENT.name, between=(first, last))
        return [home.root / file.path for file in files]

    repeats: Repeats = Duplicates(connection, landed_events, known)
    landable = EVENTS
    if writer == "stripe":
        files = landed_files(home.control, entity=STRIPE.name)
        repeats = StripeRepeats(connection, [home.root / file.path for file in files], known)
        landable = stripe_landable(now)
    return Parts(
        connection,
        room,
        repeats,
        landable,
        first_batch_seq=last_batch_seq(home.control) + 1,
        landed_at=now,
    )


def _teller(file: Opened, on_progress: OnProgress | None) -> Callable[[], None]:
    if on_progress is None:
        return lambda: None
    size = file.input.path.stat().st_size
    return lambda: on_progress(min(file.raw.size, size), size)


def _seen_before(home: Home, file: Opened, options: LandOptions) -> FileSummary | None:
    """If the same bytes were read in the same way before, nothing of them is new."""
    if not may_know_input(home.control, file.input.path.stat().st_size):
        return None
    known = known_input(home.control, sha256_file(file.input.path), options.fingerprint(file.form))
    if known is None:
        return None
    note = f"the same file landed on {known.landed_at:%Y-%m-%d %H:%M:%S} UTC as {known.name}"
    return FileSummary(file.input.name, rows_in=known.rows_in, duplicate=known.rows_in, notes=(note,))


def _publish(home: Home, work: Reading, sha256: str) -> FileSummary:
    """Make everything count that was read of an input, after a last look at the sums."""
    landed, quarantined = work.parts.landed, work.quarantine.rows
    duplicate = work.parts.taken - landed
    assert work.rows_in == landed + duplicate + quarantined, (work.rows_in, landed, duplicate, quarantined)
    record = InputRecord(
        name=work.source.input.name,
        form=work.source.form.value,
        sha256=sha256,
        bytes=work.source.raw.size,
        options=work.options.reading() | {"columns": list(work.columns)},
        fingerprint=work.options.fingerprint(work.source.form),
        rows_in=work.rows_in,
        landed=landed,
        duplicate=duplicate,
        quarantined=quarantined,
        reasons=dict(work.quarantine.reasons),
        landed_at=work.now,
    )
    refused = WrittenQuarantine(work.quarantine.path, work.quarantine.batch, quarantined) if quarantined else None
    before = _other_landings(home, record) if landed else ()
    publish_input(home, record, work.parts.finished, refused)
    return FileSummary(
        record.name,
        work.rows_in,
        landed,
        duplicate,
        quarantined,
        reasons=record.reasons,
        notes=_notes(work),
        also_landed_as=before,
    )


def _notes(work: Reading) -> tuple[str, ...]:
    """What was assumed where the input does not say it."""
    notes = []
    if work.has_naive_times:
        notes.append(f"times without a zone were read as {work.options.zone}")
    if work.skipped_times:
        notes.append(
            f"times in an hour that the clocks of {work.options.zone} skipped, moved forward by it:"
            f" {work.skipped_times:,}"
        )
    if work.untimed_objects:
        notes.append(
            f"{work.untimed_objects:,} objects without a time of receipt were taken as of"
            f" {work.now:%Y-%m-%d %H:%M:%S} UTC (--received-at gives another)"
        )
    first = work.quarantine.first if work.quarantine.rows == work.rows_in else []
    likely = next(filter(None, map(likely_writer, first)), None)
    if likely not in (None, work.options.writer):
        notes.append(f"no row could land; they look like those that gdp ingest {likely} reads")
    return tuple(notes)


def _other_landings(home: Home, record: InputRecord) -> tuple[str, ...]:
    """When and under which name the same bytes landed before, read in another way."""
    known = inputs_of_content(home.control, record.sha256)
    return tuple(
        f"{other.name} on {other.landed_at:%Y-%m-%d %H:%M:%S} UTC"
        for other in known
        if other.landed and _meaning(other.options) != _meaning(record.options)
    )


def _meaning(options: Mapping[str, Any]) -> dict[str, Any]:
    """What of the options decides what a row says."""
    return {name: options.get(name) for name in ("writer", "mapping", "source", "tz")}
