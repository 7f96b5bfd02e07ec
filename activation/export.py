"""Tables of the published warehouse as files for other tools."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.errors import UsageError, nearest
from warehouse.files import publish_file
from warehouse.reader import Warehouse
from warehouse.sql import quote_identifier, quote_literal

ExportFormat = Literal["parquet", "csv"]

#: Tables of these names are steps on the way to the others.
_INTERNAL = ("stg_", "int_")


@dataclass(frozen=True)
class Exported:
    """One table that was written."""

    table: str
    path: Path
    rows: int
    bytes: int


def table_names(warehouse: Warehouse) -> list[str]:
    """The tables and views that are meant to be read, in alphabetical order."""
    rows = warehouse.rows(
        "select table_name from information_schema.tables where table_schema = current_schema() order by table_name"
    )
    return [name for (name,) in rows if not name.startswith(_INTERNAL)]


def export_tables(warehouse: Warehouse, tables: list[str], *, folder: Path, format: ExportFormat) -> list[Exported]:
    """Write tables of one generation into a folder, one file each; a file of the same name is replaced.

    Text cells that a spreadsheet would run as a formula get a leading apostrophe in CSV; Parquet is exact.

    Raises:
        UsageError: if a table is unknown or the folder cannot be written.
    """
    known = table_names(warehouse)
    for name in tables:
        if name not in known:
            raise UsageError(f"there is no table {name!r} ({nearest(name, known)})")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{folder}: cannot be written")
    return [_export(warehouse, name, folder, format) for name in tables or known]


def _export(warehouse: Warehouse, table: str, folder: Path, format: ExportFormat) -> Exported:
    path = folder / f"{table}.{format}"
    partial = folder / f".{table}.{format}.partial"
    options = "format parquet, compression zstd" if format == "parquet" else "format csv, header true"
    select = f"select {_columns(warehouse, table, format)} from {quote_identifier(table)}"
    try:
        warehouse.rows(f"copy ({select}) to {quote_literal(str(partial))} ({options})")
        publish_file(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    rows = warehouse.scalar(f"select count(*) from {quote_identifier(table)}")
    return Exported(table=table, path=path, rows=rows, bytes=path.stat().st_size)


def _columns(warehouse: Warehouse, table: str, format: ExportFormat) -> str:
    columns = warehouse.rows(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = current_schema() and table_name = $table order by ordinal_position",
        {"table": table},
    )
    return ", ".join(
        _without_formula(name) if format == "csv" and kind == "VARCHAR" else quote_identifier(name)
        for name, kind in columns
    )


def _without_formula(name: str) -> str:
    column = quote_identifier(name)
    return (
        f"case when substr({column}, 1, 1) in ('=', '+', '-', '@', chr(9), chr(13)) then '''' || {column}"
        f" else {column} end as {column}"
    )
