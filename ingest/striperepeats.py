"""Deliveries of Stripe that have landed before: found by the hash of their body."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingest.duckfiles import parquet_files
from ingest.knownkeys import KnownKeys
from warehouse.landing import WrittenFile


class StripeRepeats:
    """Knows which deliveries have landed: those of the same body, and of an object at the same time.

    An event that was received earlier than its equals is none; without a time of receipt it was when it was made.
    An object that holds as of its landing, because nobody said when it was fetched, is a repeat of any equal one.

    Args:
        connection: the database that holds the relations.
        landed: the landing files of Stripe so far.
        known: what a run remembers of landing files.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, landed: Sequence[Path], known: KnownKeys) -> None:
        self._connection = connection
        self._landed = landed
        self._known = known
        self._parts: list[Path] = []

    def add_part(self, part: WrittenFile) -> None:
        """Note a file of this input whose rows later ones may repeat."""
        self._parts.append(part.path)

    def numbered(self, relation: str) -> str:
        """The relation itself: every delivery has an id."""
        return relation

    def without_duplicates(self, relation: str) -> str:
        """A relation like ``relation`` without the deliveries that have landed, or that it holds twice."""
        landed_before = self._known.holders(self._connection, relation, self._landed)
        files = parquet_files((*landed_before, *self._parts))
        across = (
            f"union select body_key from {files} where body_key in (select body_key from {relation})" if files else ""
        )
        ((count,),) = self._connection.execute(
            "create or replace temp table repeated as"
            f" select body_key from {relation} group by body_key having count(*) > 1 {across}"
        ).fetchall()
        if not count:
            return relation
        known = "coalesce(received_at, created_at)"
        columns = f"body_key, fetched_at, {known} as known_at"
        nothing = f"select {columns} from {relation} where false"
        landed = f"select {columns} from {files} semi join repeated using (body_key)" if files else nothing
        return f"""(
            select * exclude (nth)
            from (
                select
                    *, row_number() over (partition by body_key, fetched_at order by {known}, row_number) as nth
                from {relation}
            ) as arrived
            where nth = 1 and not exists (
                select 1 from ({landed}) as earlier
                where earlier.body_key = arrived.body_key
                    and (arrived.fetched_at is not distinct from earlier.fetched_at
                        or arrived.fetched_at = arrived.landed_at)
                    and (arrived.fetched_at is not null
                        or coalesce(arrived.received_at, arrived.created_at) >= earlier.known_at)
            )
        )"""
