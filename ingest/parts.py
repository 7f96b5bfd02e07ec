"""Writing an input's rows as landing files: straight from a query, or collected where they come one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from ingest.columns import JSON_MACRO
from ingest.duckfiles import parquet
from ingest.landing_sql import CHECKED, MACROS, keyed_select
from models.landing import EVENT, Entity
from warehouse.duck import connect
from warehouse.landing import WrittenFile
from warehouse.sql import quote_literal

#: Checked rows are written when so much of them waits.
_CHECKED_BYTES = 256 << 20
_ARROW_TYPES = {
    "BIGINT": pa.int64(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Engine:
    """What the database in memory may use."""

    threads: int
    memory_limit: str


@dataclass(frozen=True)
class Landable:
    """What rows of one entity are before they land.

    Attributes:
        entity: what they become.
        checked: the columns of rows that were brought into landed form one by one, with their types.
        named: the query that adds what is computed from them to checked rows in a relation.
        unnamed: the same for rows whose id is computed, too; None where every row has its own.
    """

    entity: Entity
    checked: Mapping[str, str]
    named: Callable[[str], str]
    unnamed: Callable[[str], str] | None = None

    @property
    def schema(self) -> pa.Schema:
        """The columns of checked rows in Arrow's types."""
        return pa.schema([(name, _ARROW_TYPES[type_]) for name, type_ in self.checked.items()])


EVENTS = Landable(
    EVENT,
    CHECKED,
    named=lambda relation: keyed_select(f"(from {relation} where event_id is not null)", computes_ids=False),
    unnamed=lambda relation: keyed_select(f"(from {relation} where event_id is null)", computes_ids=True),
)


class Repeats(Protocol):
    """Knows which rows have landed before, or stand in an earlier part of the input."""

    def add_part(self, part: WrittenFile) -> None:
        """Note a file of this input whose rows later ones may repeat."""

    def without_duplicates(self, relation: str) -> str:
        """A relation like ``relation`` without the rows that change nothing."""

    def numbered(self, relation: str) -> str:
        """A relation like ``relation``, whose ids were all computed, in which equal ids are told apart."""


@contextmanager
def connected(folder: Path, engine: Engine) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills into ``folder`` and reaches for nothing on the network."""
    config = {
        "threads": str(engine.threads),
        "memory_limit": engine.memory_limit,
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": "false",
    }
    with connect(config=config) as connection:
        for macro in (*MACROS, JSON_MACRO):
            connection.execute(macro)
        yield connection


class Parts:
    """The landing files of one input, as they are being written.

    Args:
        connection: a database of its own (``connected``).
        folder: where the files are written.
        duplicates: knows which rows have landed before.
        landable: what the rows are.
        first_batch_seq: the number of the first file.
        landed_at: the time of landing, the same in every row.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        duplicates: Repeats,
        landable: Landable = EVENTS,
        *,
        first_batch_seq: int,
        landed_at: datetime,
    ) -> None:
        self.connection = connection
        self.finished: list[WrittenFile] = []
        self.taken = 0
        self._folder = folder
        self._duplicates = duplicates
        self._landable = landable
        self._first_batch_seq = first_batch_seq
        self.landed_at = landed_at
        self._checked: list[pa.Table] = []

    @property
    def landed(self) -> int:
        """How many rows the files hold; the other rows that were taken are duplicates."""
        return sum(part.rows for part in self.finished)

    def write(
        self,
        select: str,
        *,
        computes_ids: bool = False,
        missing_from: str | None = None,
        accepts: Callable[[pa.Table], bool] | None = None,
    ) -> pa.Table | None:
        """Write the rows of a query, which lacks only batch and time of landing, as a file without the duplicates.

        Args:
            select: the query.
            computes_ids: whether the ids of all its rows were computed from their content.
            missing_from: the name of a relation with a ``row_number`` from which the query took some rows.
            accepts: told which rows of that relation the query did not take, says whether to write the others.

        Returns: the rows of that relation that were not written; None if no relation was named.
        """
        batch_seq = self._first_batch_seq + len(self.finished)
        path = self._folder / f"landing-{batch_seq}"
        rows = self._copy(select, path, batch_seq)
        missing = self._missing(missing_from, path, rows) if missing_from else None
        if accepts and not accepts(missing):
            path.unlink()
            return self.connection.sql(f"from {missing_from}").to_arrow_table()
        self.taken += rows
        if rows:
            self._finish(path, batch_seq, rows, computes_ids=computes_ids)
        else:
            path.unlink()
        return missing

    def write_trusted(self, select: str, bad: str, *, computes_ids: bool) -> tuple[int, int]:
        """Write all rows of a query at once, and take those for which ``bad`` holds out again, if there are any.

        Returns: how many rows the query has, and how many of them are bad.
        """
        batch_seq = self._first_batch_seq + len(self.finished)
        path = self._folder / f"landing-{batch_seq}"
        rows = self._copy(select, path, batch_seq)
        ((count,),) = self.connection.execute(f"select count(*) from {parquet(path)} where {bad}").fetchall()
        if count:
            path, whole = path.with_name(path.name + "-good"), path
            self._copy(f"select * from {parquet(whole)} where not {bad}", path, batch_seq)
            whole.unlink()
        self.taken += rows - count
        if rows > count:
            self._finish(path, batch_seq, rows - count, computes_ids=computes_ids)
        else:
            path.unlink()
        return rows, int(count)

    def add_checked(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take rows that were brought into landed form one by one, with their row_number."""
        if rows:
            self._checked.append(pa.Table.from_pylist(list(rows), schema=self._landable.schema))
        if sum(table.nbytes for table in self._checked) >= _CHECKED_BYTES:
            self.flush_checked()

    def flush_checked(self) -> None:
        """Write the checked rows that are waiting, as one file or, where some have no id of their own, as two."""
        waiting, self._checked = self._checked, []
        if not waiting:
            return
        checked = pa.concat_tables(waiting)
        unnamed = checked["event_id"].null_count if self._landable.unnamed else 0
        with self.registered("checked", checked):
            if unnamed < checked.num_rows:
                self.write(self._landable.named("checked"))
            if self._landable.unnamed and unnamed:
                self.write(self._landable.unnamed("checked"), computes_ids=True)

    @contextmanager
    def registered(self, name: str, table: pa.Table) -> Iterator[None]:
        """Make an Arrow table readable in SQL under a name while the block runs."""
        self.connection.register(name, table)
        try:
            yield
        finally:
            self.connection.unregister(name)

    @contextmanager
    def computed_once(self) -> Iterator[None]:
        """While the block runs, values that conditions look at are computed once.

        Pushed down through projections, a condition on a computed value would compute it again.
        """
        self.connection.execute("set disabled_optimizers = 'filter_pushdown'")
        try:
            yield
        finally:
            self.connection.execute("reset disabled_optimizers")

    def _copy(self, select: str, path: Path, batch_seq: int) -> int:
        """Write a landing file; returns its number of rows."""
        constants = {
            "batch_seq": f"{batch_seq}::bigint",
            "landed_at": f"timestamptz {quote_literal(self.landed_at.isoformat())}",
        }
        columns = ", ".join(
            f"{constants[column.name]} as {column.name}" if column.name in constants else column.name
            for column in self._landable.entity.columns
        )
        with self.computed_once():
            ((rows,),) = self.connection.execute(
                f"copy (select {columns} from ({select})) to {quote_literal(str(path))}"
                " (format parquet, compression zstd, compression_level 1, dictionary_size_limit 5000)"
            ).fetchall()
        return int(rows)

    def _missing(self, relation: str, path: Path, rows: int) -> pa.Table:
        query = f"select * from {relation} limit 0"
        ((expected,),) = self.connection.execute(f"select count(*) from {relation}").fetchall()
        if expected > rows:
            taken = f"select row_number from {parquet(path)}"
            query = f"select * from {relation} anti join ({taken}) using (row_number) order by row_number"
        return self.connection.sql(query).to_arrow_table()

    def _finish(self, path: Path, batch_seq: int, rows: int, *, computes_ids: bool) -> None:
        written = f"{parquet(path)}"
        relation = self._duplicates.numbered(written) if computes_ids else written
        relation = self._duplicates.without_duplicates(relation)
        if relation != written:
            path, rewritten = path.with_name(path.name + "-rewritten"), path
            rows = self._copy(f"select * from {relation}", path, batch_seq)
            rewritten.unlink()
        if not rows:
            path.unlink()
            return
        entity = self._landable.entity
        ((first, last),) = self.connection.execute(
            f"select min({entity.time}), max({entity.time}) from {parquet(path)}"
        ).fetchall()
        part = WrittenFile(path, batch_seq, rows, first, last, entity.name)
        self._duplicates.add_part(part)
        self.finished.append(part)
