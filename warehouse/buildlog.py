"""The build log of the control database: which builds began, and how they ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.control import as_text, as_time, opened, transaction


@dataclass(frozen=True)
class BuildRecord:
    """One build; what it came to is None while it runs, and for good if it was killed."""

    generation: str
    started_at: datetime
    as_of: datetime
    how: str
    finished_at: datetime | None = None
    outcome: str | None = None
    detail: str | None = None


def start_build(control: Path, record: BuildRecord) -> None:
    """Note that a build begins."""
    with opened(control) as connection, transaction(connection):
        connection.execute(
            "insert into build_log (generation, started_at, as_of, how) values (?, ?, ?, ?)",
            (record.generation, as_text(record.started_at), as_text(record.as_of), record.how),
        )


def finish_build(control: Path, generation: str, finished_at: datetime, outcome: str, detail: str | None) -> None:
    """Note what the latest build of a generation came to."""
    with opened(control) as connection, transaction(connection):
        connection.execute(
            "update build_log set finished_at = ?, outcome = ?, detail = ?"
            " where build_id = (select max(build_id) from build_log where generation = ?)",
            (as_text(finished_at), outcome, json.dumps(detail, ensure_ascii=False), generation),
        )


def builds(control: Path) -> list[BuildRecord]:
    """The build log, newest first."""
    with opened(control) as connection:
        rows = connection.execute(
            "select generation, started_at, as_of, how, finished_at, outcome, detail"
            " from build_log order by build_id desc"
        ).fetchall()
    return [
        BuildRecord(
            row[0],
            as_time(row[1]),
            as_time(row[2]),
            row[3],
            as_time(row[4]) if row[4] else None,
            row[5],
            json.loads(row[6]) if row[6] else None,
        )
        for row in rows
    ]
