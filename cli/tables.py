"""Commands that read tables: sql and export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.state import state_of


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(sql)
    app.command()(export)


def sql(
    context: typer.Context,
    query: Annotated[
        str | None,
        typer.Argument(metavar="[QUERY]", help="One statement; without it, standard input is read."),
    ] = None,
    format: Annotated[
        Literal["table", "json", "csv", "parquet"], typer.Option("--format", help="How to print the rows.")
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file; - is standard output.")
    ] = None,
) -> None:
    """Run one SQL query on the published tables: read-only, and nothing outside of them can be reached."""
    from cli.output import emit_table
    from models.errors import UsageError
    from pipeline.query import run_sql

    text = query if query is not None else "" if sys.stdin.isatty() else sys.stdin.read()
    if not text.strip():
        raise UsageError("give a query, or pipe one in: gdp sql 'select count(*) from event'")
    with state_of(context).warehouse(sandbox=True) as warehouse:
        table = run_sql(warehouse, text)
        emit_table(table, format=format, output=output)


def export(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to write into.")],
    tables: Annotated[list[str] | None, typer.Argument(metavar="[TABLE]...", help="Tables; else all.")] = None,
    format: Annotated[Literal["parquet", "csv"], typer.Option("--format", help="The kind of file.")] = "parquet",
) -> None:
    """Write tables as files for other tools, one file a table."""
    from activation.export import export_tables
    from analytics.table import Column, Table
    from cli.output import STDOUT, show_table
    from models.errors import UsageError

    if to == STDOUT:
        raise UsageError("--to -: tables are written as files: name a folder (one table: gdp sql 'from TABLE' -o -)")
    with state_of(context).warehouse() as warehouse:
        written = export_tables(warehouse, tables or [], folder=to, format=format)
    columns = (Column("file"), Column("rows", "count"), Column("bytes", "count"))
    show_table(Table(columns, tuple((str(done.path), done.rows, done.bytes) for done in written)))
