"""Landing refused rows once the mapping, the limits or the rows themselves have been put right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.duckfiles import parquet_files
from ingest.inputs import Form
from ingest.jsongate import check_record, lines_of
from ingest.jsonrows import JsonRows
from ingest.landfile import new_parts
from ingest.mappedjson import MappedJson
from ingest.options import LandOptions
from ingest.parts import Engine, Parts, connected
from ingest.quarantine import QuarantinedRow, quarantined_rows
from ingest.reading import json_form_of, rules_of
from ingest.reasons import Reason, Refused, RefusedRow
from ingest.services import taker_of
from ingest.taker import Taker
from models.errors import UsageError
from warehouse.control import InputRecord, QuarantineFile, quarantine_files
from warehouse.home import Home
from warehouse.landing import landing_room, publish_input


@dataclass(frozen=True)
class ReplaySummary:
    """What became of the rows that were tried again; ``still_refused`` says why some wait on, by their ids."""

    rows_in: int
    landed: int
    duplicate: int
    still_refused: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The summary as plain values (docs/json.md)."""
        return {
            "rows_in": self.rows_in,
            "landed": self.landed,
            "duplicate": self.duplicate,
            "quarantined": len(self.still_refused),
            "refused": [{"id": row_id, "detail": detail} for row_id, detail in self.still_refused.items()],
        }


def replay(
    home: Home,
    ids: Sequence[str] = (),
    *,
    now: datetime,
    options: LandOptions | None = None,
    edits: Mapping[str, bytes] | None = None,
    reason: str | None = None,
) -> ReplaySummary:
    """Try refused rows again; those that land now, or are found to have landed already, no longer wait.

    Args:
        home: whose quarantine.
        ids: rows or batches; without any, every row that waits (with ``edits``, those that were edited).
        now: the time of landing.
        options: the mapping, source and zone to read them with, where these are given; else those of the first time.
        edits: corrected rows by id.
        reason: only rows that were refused for this reason.

    Raises:
        UsageError: if there is no such row, or one was edited that is not to be tried.
    """
    given = options or LandOptions()
    edits = edits or {}
    rows = quarantined_rows(home, [*ids] or [*edits], reason=reason)
    if unasked := edits.keys() - {row.id for row in rows}:
        raise UsageError(f"{min(unasked)} was edited, but is not among the rows that are to be tried")
    waiting = [replace(row, raw=edits.get(row.id, row.raw)) for row in rows if row.outcome is None]
    batches = {file.batch: file for file in quarantine_files(home.control)} if waiting else {}
    _refuse_useless_zone(given, [batches[int(row.id.partition("-")[0])] for row in waiting])
    total = ReplaySummary(0, 0, 0, {})
    for batch, file in batches.items():
        chosen = [row for row in waiting if row.id.startswith(f"{batch}-")]
        if chosen:
            chosen += _equal_ones(home, batch, chosen, edits)
            total = _sum(total, _replay_batch(home, file, chosen, _options_for(file, given), now))
    return total


def _refuse_useless_zone(given: LandOptions, files: Sequence[QuarantineFile]) -> None:
    """A zone that no row would be read in is a misunderstanding."""
    if given.tz and files and not any(_is_mapped(file, _options_for(file, given)) for file in files):
        raise UsageError(
            "--tz holds for mapped rows; these are JSON events, whose times need a zone of their own: give --map too,"
            " or edit them (--edit)"
        )


def _is_mapped(file: QuarantineFile, options: LandOptions) -> bool:
    """Whether rows are read by columns: those of tables, and JSON records for which there is a mapping."""
    return Form(file.input_form) in (Form.CSV, Form.PARQUET) or options.mapping is not None


def _equal_ones(
    home: Home, batch: int, chosen: list[QuarantinedRow], edits: Mapping[str, bytes]
) -> list[QuarantinedRow]:
    """The other waiting rows of a batch that say the same as a chosen one.

    Equal rows without an id of their own are told apart by their ordinal, so they are settled together or not at all.
    """
    ids, texts = {row.id for row in chosen}, {row.raw for row in chosen if row.id not in edits}
    others = quarantined_rows(home, [str(batch)], waiting_only=True)
    return [row for row in others if row.id not in ids and row.id not in edits and row.raw in texts]


def read_edits(path: Path) -> dict[str, bytes]:
    """Corrected rows of a file: the JSON list that ``gdp quarantine show --format json`` prints, or its lines.

    Of each row ``id`` and ``raw`` are read; ``raw`` is the text of the row, or the corrected object itself.

    Raises:
        UsageError: if the file is not that.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        rows = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    except ValueError as error:
        raise UsageError(f"{path}: not JSON: {error}") from None
    edits = {}
    for number, row in enumerate(rows, start=1):
        if not (isinstance(row, dict) and isinstance(row.get("id"), str) and "raw" in row):
            raise UsageError(f'{path} row {number}: an edited row is {{"id": "12-3", "raw": …}}')
        raw = row["raw"] if isinstance(row["raw"], str) else json.dumps(row["raw"], ensure_ascii=False)
        if row["id"] in edits:
            raise UsageError(f"{path} row {number}: {row['id']} stands here twice; give each row once")
        edits[row["id"]] = raw.encode("utf-8", "surrogatepass")
    return edits


def _options_for(file: QuarantineFile, given: LandOptions) -> LandOptions:
    """How the rows of a file are read: as the first time, unless something else is given now."""
    first = LandOptions.from_reading(dict(file.options), given)
    return replace(
        given,
        writer=first.writer,
        account=first.account,
        livemode=first.livemode,
        received_at=given.received_at or first.received_at,
        mapping=given.mapping or first.mapping,
        source=given.source or first.source,
        tz=given.tz or first.tz,
        trusted=False,
    )


def _replay_batch(
    home: Home, file: QuarantineFile, rows: list[QuarantinedRow], options: LandOptions, now: datetime
) -> ReplaySummary:
    with landing_room(home, wait=options.wait) as room:
        with connected(room, Engine(options.threads, options.memory_limit)) as connection:
            parts = new_parts(home, connection, room, now, options.writer)
            refused = {row.row_number: row for row in _read_again(parts, file, rows, options, now)}
            landed = _landed_numbers(parts)
        by_number = {int(row.id.partition("-")[2]): row for row in rows}
        outcomes = [
            (row.id, "landed" if number in landed else "duplicate")
            for number, row in by_number.items()
            if number not in refused
        ]
        assert len(rows) == len(outcomes) + len(refused), (len(rows), len(outcomes), len(refused))
        # Where nothing is settled nothing lands, also not the good part of a text that is refused in part.
        taken, landed_rows = (parts.taken, parts.landed) if outcomes else (0, 0)
        summary = ReplaySummary(
            rows_in=taken + len(refused),
            landed=landed_rows,
            duplicate=taken - landed_rows,
            still_refused={
                by_number[number].id: f"{row.reason}: {row.detail}" for number, row in refused.items() if number
            },
        )
        if outcomes:
            publish_input(home, _record(file, rows, options, summary, now), parts.finished, None, outcomes)
    return summary


def _read_again(
    parts: Parts, file: QuarantineFile, rows: list[QuarantinedRow], options: LandOptions, now: datetime
) -> list[RefusedRow]:
    """Read rows as if they were an input of their own; their numbers are those in their ids."""
    numbers, texts, refused = [], [], []
    for row in rows:
        number = int(row.id.partition("-")[2])
        try:
            text = check_record(row.raw, options.max_text_bytes)
            if not text.strip():
                raise Refused(Reason.NOT_JSON, "empty")
            texts.append(text)
            numbers.append(number)
        except Refused as refusal:
            refused.append(RefusedRow(number, refusal.reason, refusal.detail, row.raw))
    taker = _taker(parts, file, options, now)
    taker.take(lines_of(numbers, texts, []))
    taker.finish()
    return refused + taker.drain_refused()


def _taker(parts: Parts, file: QuarantineFile, options: LandOptions, now: datetime) -> Taker:
    if deliveries := taker_of(parts, options, rules_of(options, now, is_mapped=False), place=None):
        return deliveries
    if not _is_mapped(file, options):
        return JsonRows(parts, rules_of(options, now, is_mapped=False))
    header = tuple(file.options.get("columns", ()))
    return MappedJson(
        parts,
        lambda columns: json_form_of(options, columns, header),
        rules_of(options, now, is_mapped=True),
    )


def _landed_numbers(parts: Parts) -> set[int]:
    files = parquet_files(part.path for part in parts.finished)
    if not files:
        return set()
    return {number for (number,) in parts.connection.execute(f"select row_number from {files}").fetchall()}


def _record(
    file: QuarantineFile, rows: list[QuarantinedRow], options: LandOptions, summary: ReplaySummary, now: datetime
) -> InputRecord:
    """The entry of a replay in the control database: settled rows only, for the others wait where they are."""
    settled = [row for row in rows if row.id not in summary.still_refused]
    digest = hashlib.sha256(b"".join(f"{row.id} ".encode() + row.raw + b"\n" for row in settled))
    return InputRecord(
        name=f"replay of {file.input_name}",
        form=file.input_form,
        sha256=digest.hexdigest(),
        bytes=sum(len(row.raw) for row in settled),
        options=options.reading() | {"columns": file.options.get("columns", [])},
        fingerprint=f"replay-{options.fingerprint(Form(file.input_form))}",
        rows_in=summary.landed + summary.duplicate,
        landed=summary.landed,
        duplicate=summary.duplicate,
        quarantined=0,
        reasons={},
        landed_at=now,
    )


def _sum(one: ReplaySummary, other: ReplaySummary) -> ReplaySummary:
    return ReplaySummary(
        one.rows_in + other.rows_in,
        one.landed + other.landed,
        one.duplicate + other.duplicate,
        {**one.still_refused, **other.still_refused},
    )
