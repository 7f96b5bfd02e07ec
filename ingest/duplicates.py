"""Rows that say again what has landed: found by the hash of their body, judged by all of their key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from ingest.duckfiles import parquet_files
from ingest.knownkeys import KnownKeys
from ingest.landing_sql import KEYED, body_key
from warehouse.landing import WrittenFile
from warehouse.sql import quote_literal


class Duplicates:
    """Knows what an input has brought so far and what had landed before it.

    Args:
        connection: the database that holds the relations.
        landed: gives the landing files that may hold a time of a range.
        known: what a run remembers of landing files.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        landed: Callable[[datetime, datetime], Sequence[Path]],
        known: KnownKeys,
    ) -> None:
        self._connection = connection
        self._landed = landed
        self._known = known
        self._parts: list[WrittenFile] = []
        connection.execute("create temp table counted (body_key bigint)")

    def add_part(self, part: WrittenFile) -> None:
        """Note a file of this input whose rows later ones may repeat."""
        self._parts.append(part)

    def without_duplicates(self, relation: str) -> str:
        """A relation like ``relation`` (with the columns of ``KEYED``) without the rows that change nothing.

        A row goes if one with the same source, event id and body, received no later than it (or both without a time of
        receipt), stands in the relation, has landed, or is in an earlier part of the input. Equal bodies have equal
        times before they are corrected, and a correction moves a repeat by as much as it came later: so only files
        that overlap in time, or that do but for so long a delay, are read, and of those one column of integers unless
        it finds something.
        """
        ((first, last),) = self._connection.execute(
            f"""
            select
                min(case when sent_at <> received_at then occurred_at - {_LONGEST_DELAY} else occurred_at end),
                max(occurred_at)
            from {relation}
            """
        ).fetchall()
        files = self._files(relation, first, last)
        if not self._find_repeated(relation, files, first, last):
            return relation
        self._connection.execute(_kept_sql(relation, files))
        return f"(select {_COLUMNS} from {relation} anti join repeated using (body_key) union all from kept)"

    def numbered(self, relation: str) -> str:
        """A relation like ``relation``, whose ids were all computed, in which equal ids are told apart.

        The n-th of several equal rows of an input gets the ordinal n in its id, so that the same input always gives
        the same ids, however it is cut into parts.
        """
        ((count,),) = self._connection.execute(
            f"""
            create or replace temp table equal_rows as
            select body_key, (select count(*) from counted where counted.body_key = found.body_key) as earlier
            from (
                select body_key from {relation} group by body_key having count(*) > 1
                union
                select body_key from counted semi join {relation} using (body_key)
            ) as found
            """
        ).fetchall()
        if count:
            self._connection.execute(f"create or replace temp table numbered as {_numbered_sql(relation)}")
        self._connection.execute(f"insert into counted select body_key from {relation}")
        if not count:
            return relation
        return f"(select {_COLUMNS} from {relation} anti join equal_rows using (body_key) union all from numbered)"

    def _files(self, relation: str, first: datetime, last: datetime) -> str:
        earlier = [part.path for part in self._parts if part.min_occurred_at <= last and part.max_occurred_at >= first]
        landed = self._known.holders(self._connection, relation, self._landed(first, last))
        return parquet_files((*landed, *earlier))

    def _find_repeated(self, relation: str, files: str, first: datetime, last: datetime) -> int:
        within = f"select body_key from {relation} group by body_key having count(*) > 1"
        times = f"timestamptz {quote_literal(first.isoformat())} and timestamptz {quote_literal(last.isoformat())}"
        landed = f"(select body_key from {files} where occurred_at between {times})"
        across = f"union select body_key from {landed} semi join {relation} using (body_key)" if files else ""
        ((count,),) = self._connection.execute(f"create or replace temp table repeated as {within} {across}").fetchall()
        return int(count)


_COLUMNS = ", ".join(KEYED)
#: How much later than its first a repeat may come that carries a corrected time; what comes later still is a conflict.
_LONGEST_DELAY = "interval '7' day"


def _kept_sql(relation: str, files: str) -> str:
    """Of the rows whose body was seen before, those that still say something new: received earlier than any of it."""
    key = "source, event_id, body_key, received_at"
    before = f"select {key} from {files} semi join repeated using (body_key)"
    nothing = f"select {key} from {relation} where false"
    return f"""
        create or replace temp table kept as
        with arrived as (
            select *, row_number() over (
                partition by source, event_id, body_key, received_at is null
                order by received_at, row_number
            ) as nth
            from {relation} semi join repeated using (body_key)
        ),
        before as (
            select source, event_id, body_key, received_at is null as is_unknown, min(received_at) as received_at
            from ({before if files else nothing})
            group by all
        )
        select {_COLUMNS} from arrived
        where nth = 1 and not exists (
            select 1 from before
            where before.source = arrived.source
                and before.event_id = arrived.event_id
                and before.body_key = arrived.body_key
                and before.is_unknown = (arrived.received_at is null)
                and (before.is_unknown or before.received_at <= arrived.received_at)
        )
    """


def _numbered_sql(relation: str) -> str:
    changed = {
        "event_id": "numbered_id as event_id",
        "body_key": f"{body_key('numbered_id')} as body_key",
    }
    columns = ", ".join(changed.get(name, name) for name in KEYED)
    return f"""
        select {columns}
        from (
            select
                rows.*,
                substr(event_id, 1, length(event_id) - 1) || (
                    earlier + row_number() over (partition by body_key order by row_number)
                ) as numbered_id
            from {relation} as rows inner join equal_rows using (body_key)
        )
    """
