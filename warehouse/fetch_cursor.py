"""Where fetches of an API's lists go on that were stopped before their end; kept in the control database."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.control import as_text, as_time, opened, transaction


@dataclass(frozen=True)
class FetchedList:
    """A list of an API: the connected account ('' for one's own), its mode, and the kind of its objects."""

    account: str
    livemode: bool
    kind: str


@dataclass(frozen=True)
class FetchCursor:
    """How far the fetch of a list has come.

    Attributes:
        after_id: the last object that has landed.
        since: the time of creation where the fetch ends, as it was asked for; '' for the end of the list.
        started_at: when the fetch began.
    """

    after_id: str
    since: str
    started_at: datetime


def read_cursor(control: Path, fetched: FetchedList) -> FetchCursor | None:
    """Where the fetch of a list goes on; None if none was stopped."""
    with opened(control) as connection:
        row = connection.execute(
            "select after_id, since, started_at from fetch_cursor where account = ? and livemode = ? and kind = ?",
            _key(fetched),
        ).fetchone()
    return None if row is None else FetchCursor(row[0], row[1], as_time(row[2]))


def set_cursor(connection: sqlite3.Connection, fetched: FetchedList, cursor: FetchCursor | None) -> None:
    """Note how far the fetch of a list has come, in the caller's transaction; None if it has come to its end."""
    connection.execute("delete from fetch_cursor where account = ? and livemode = ? and kind = ?", _key(fetched))
    if cursor is not None:
        connection.execute(
            "insert into fetch_cursor (account, livemode, kind, since, after_id, started_at) values (?, ?, ?, ?, ?, ?)",
            (*_key(fetched), cursor.since, cursor.after_id, as_text(cursor.started_at)),
        )


def drop_cursor(control: Path, fetched: FetchedList) -> None:
    """Note that the next fetch of a list begins at its start."""
    with opened(control) as connection, transaction(connection):
        set_cursor(connection, fetched, None)


def _key(fetched: FetchedList) -> tuple[str, int, str]:
    return fetched.account, int(fetched.livemode), fetched.kind
