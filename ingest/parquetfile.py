"""Parquet files: their columns, their rows by number, and cells too large to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingest.columns import Column
from ingest.duckfiles import file_literal, parquet
from ingest.mappedsql import record_sql
from ingest.reasons import BrokenFile, Reason, RefusedRow
from ingest.strictjson import shown
from models import limits
from warehouse.sql import quote_identifier


def columns_of(connection: duckdb.DuckDBPyConnection, path: Path, *, is_clean: bool) -> tuple[Column, ...]:
    """The columns of a file.

    Raises:
        BrokenFile: if one is called as DuckDB calls the numbers of rows.
        duckdb.Error: if the file cannot be read.
    """
    described = connection.execute(f"describe from {parquet(path)}").fetchall()
    columns = tuple(Column(name, type_, is_clean=is_clean) for name, type_, *_ in described)
    for column in columns:
        if column.name.lower() == "file_row_number":
            raise BrokenFile(f"a column is called {column.name}, which is DuckDB's own; rename it")
    return columns


def numbered_rows(path: Path, columns: Sequence[Column]) -> str:
    """The rows of a file with their numbers, from 1, as a relation."""
    names = ", ".join(f"{quote_identifier(column.name)} as {column.sql}" for column in columns)
    rows = f"read_parquet({file_literal(path)}, file_row_number = true)"
    return f"(select file_row_number + 1 as row_number, {names} from {rows})"


def rows_with_large_cells(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]
) -> tuple[str, list[RefusedRow]]:
    """The rows in which every text is of a bearable size, as a relation, and the others for the quarantine.

    A file of some kilobytes can stand for gigabytes of text: sizes are looked at before anything is made of the cells,
    and cells that are too large are not kept.
    """
    texts = [column for column in columns if column.type in ("VARCHAR", "BLOB")]
    large = {column.name: f"{_size(column)} > {limits.MAX_TEXT_BYTES}" for column in texts}
    if not large:
        return relation, []
    any_large = " or ".join(f"coalesce({condition}, false)" for condition in large.values())
    ((count,),) = connection.execute(f"select count(*) from {relation} where {any_large}").fetchall()
    if not count:
        return relation, []
    cuts = ", ".join(f"case when not {large[column.name]} then {column.sql} end as {column.sql}" for column in texts)
    names = ", ".join(f"case when {condition} then {_literal(name)} end" for name, condition in large.items())
    rows = connection.execute(
        f"select row_number, names, {record_sql(columns)}"
        f" from (select * replace ({cuts}), concat_ws(', ', {names}) as names from {relation} where {any_large})"
        " order by row_number"
    ).fetchall()
    refused = [
        RefusedRow(
            number,
            Reason.TOO_LARGE,
            f"the cell of {name} is longer than {limits.MAX_TEXT_BYTES} bytes",
            record.encode(),
        )
        for number, name, record in rows
    ]
    return f"(from {relation} where not ({any_large}))", refused


def _size(column: Column) -> str:
    return f"octet_length({column.sql})" if column.type == "BLOB" else f"strlen({column.sql})"


def _literal(name: str) -> str:
    return "'" + shown(name).strip("'\"").replace("'", "''") + "'"
