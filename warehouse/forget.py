"""Taking landings back: what one input landed leaves the manifest as a whole, as if it had never been handed in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.errors import UsageError
from warehouse.control import as_text, as_time, opened, transaction
from warehouse.home import Home
from warehouse.landing import landing_room, set_aside


@dataclass(frozen=True)
class Landing:
    """What one input came to; ``batches`` are the numbers of its landing files, none where no row was new."""

    number: int
    name: str
    form: str
    options: Mapping[str, Any]
    rows_in: int
    landed: int
    duplicate: int
    quarantined: int
    landed_at: datetime
    batches: tuple[int, ...]
    forgotten_at: datetime | None


@dataclass(frozen=True)
class Forgotten:
    """What was taken back, and the later inputs that are to be landed again.

    Rows of theirs were dropped because an equal one had landed, which may have been one of those that are gone.
    """

    landings: tuple[Landing, ...]
    land_again: tuple[str, ...]


def landings(control: Path) -> list[Landing]:
    """Every input that was read to its end, oldest first, those that were forgotten among them."""
    with opened(control) as connection:
        rows = connection.execute(
            "select input_id, name, form, options, rows_in, landed, duplicate, quarantined, landed_at,"
            " (select group_concat(batch_seq) from landing_file where landing_file.input_id = input.input_id),"
            " null as forgotten_at from input union all"
            " select input_id, name, form, options, rows_in, landed, duplicate, quarantined, landed_at,"
            " batches, forgotten_at from forgotten_input order by input_id"
        ).fetchall()
    return [_landing(row) for row in rows]


def _landing(row: tuple[Any, ...]) -> Landing:
    number, name, form, options, rows_in, landed, duplicate, quarantined, landed_at, batches, forgotten_at = row
    return Landing(
        number=number,
        name=name,
        form=form,
        options=json.loads(options),
        rows_in=rows_in,
        landed=landed,
        duplicate=duplicate,
        quarantined=quarantined,
        landed_at=as_time(landed_at),
        batches=tuple(sorted(int(batch) for batch in (batches or "").split(",") if batch)),
        forgotten_at=as_time(forgotten_at) if forgotten_at else None,
    )


def chosen_landings(control: Path, numbers: Sequence[int]) -> list[Landing]:
    """The landings of these numbers, each once, oldest first.

    Raises:
        UsageError: if there is none of a number, or it was forgotten already.
    """
    known = {landing.number: landing for landing in landings(control)}
    chosen = []
    for number in sorted(set(numbers)):
        landing = known.get(number)
        if landing is None:
            raise UsageError(f"there is no landing {number} (gdp landing list shows them)")
        if landing.forgotten_at is not None:
            raise UsageError(f"landing {number} was forgotten on {landing.forgotten_at:%Y-%m-%d %H:%M:%S} UTC")
        chosen.append(landing)
    return chosen


def forget(home: Home, numbers: Sequence[int], *, now: datetime, wait: bool | float = 60) -> Forgotten:
    """Take landings out of the manifest with their refused rows, in one transaction; the same files may land again.

    Their files move to ``orphaned`` afterwards; if that is cut short, the next one who lands does it. Refused rows that
    a forgotten replay had settled wait again.

    Raises:
        UsageError: if there is no such landing.
        BusyError: if somebody else is landing for longer than ``wait`` seconds.
    """
    with landing_room(home, wait=wait):
        chosen = chosen_landings(home.control, numbers)
        with opened(home.control) as connection, transaction(connection):
            for landing in chosen:
                _forget_one(connection, landing.number, now)
            again = _reopen_later_ones(connection, min((landing.number for landing in chosen), default=0))
        set_aside(home)
    return Forgotten(tuple(chosen), tuple(again))


def _forget_one(connection: sqlite3.Connection, number: int, now: datetime) -> None:
    connection.execute(
        "insert into forgotten_input select input_id, name, form, options, rows_in, landed, duplicate, quarantined,"
        " landed_at, (select group_concat(batch_seq) from landing_file where landing_file.input_id = input.input_id),"
        " (select max(batch) from quarantine_file where quarantine_file.input_id = input.input_id), ?"
        " from input where input_id = ?",
        (as_text(now), number),
    )
    connection.execute(
        "delete from quarantine_replay where input_id = ?1 or exists (select 1 from quarantine_file as file"
        " where file.input_id = ?1 and quarantine_id like file.batch || '-%')",
        (number,),
    )
    # What is gone was passed by cursors: the next fetch begins anew.
    connection.execute(
        "delete from fetch_cursor where exists (select 1 from input where input_id = ? and form = 'api')", (number,)
    )
    for table in ("quarantine_file", "landing_file", "input"):
        connection.execute(f"delete from {table} where input_id = ?", (number,))


def _reopen_later_ones(connection: sqlite3.Connection, number: int) -> list[str]:
    """Let later inputs land again that dropped rows for being there already; returns their names, each once.

    A fingerprint of its own keeps such an input from being taken for known; rows of a replay wait in quarantine again.
    """
    connection.execute("delete from quarantine_replay where outcome = 'duplicate' and input_id > ?", (number,))
    rows = connection.execute(
        "update input set fingerprint = 'reopened-' || input_id || '-' || fingerprint"
        " where input_id > ? and duplicate > 0 and fingerprint not like 'reopened-%'"
        " returning input_id, name, fingerprint like '%-replay-%'",
        (number,),
    ).fetchall()
    return list(dict.fromkeys(name for _, name, is_replay in sorted(rows) if not is_replay))
