"""Rows and reports on standard output or in a file: a table for a person, JSON, CSV or Parquet for a program."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol

import typer

from cli.cells import csv_cell, json_cell, text_cell
from models.errors import GdpError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from analytics.table import Sheet, Table

Format = Literal["table", "json", "csv", "parquet"]
#: What --output calls standard output.
STDOUT = Path("-")
NEEDS_A_FILE = "--format parquet needs a file: --output FILE, or --output - into a pipe"
#: How many rows of somebody's own query a terminal is shown.
MOST_ROWS = 500


class Screen(Protocol):
    """An answer for a person, and for a program as JSON."""

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape."""

    def table(self) -> Sheet:
        """One screen."""


class Report(Screen, Protocol):
    """An answer that can be shown in every format."""

    def records(self) -> Table:
        """Flat rows."""


def emit_report(report: Report, *, format: Format, output: Path | None) -> None:
    """Print a report, or write it to a file.

    Raises:
        UsageError: if the output cannot be a file, or Parquet has no file to go to.
        GdpError: if writing fails.
    """
    if format == "json":
        emit_text(json.dumps(report.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n", output)
    elif format == "csv":
        emit_text(_csv_of(report.records()), output)
    elif format == "parquet":
        _emit_parquet(_arrow_of(report.records()), output)
    else:
        from cli.screen import render_sheet

        _emit_screen(lambda width: render_sheet(report.table(), width), output)


def emit_table(table: pa.Table, *, format: Format, output: Path | None) -> None:
    """Print the rows of a query, or write them to a file; JSON is a list of objects, one a line.

    Raises:
        UsageError: if the output cannot be a file, or Parquet has no file to go to.
        GdpError: if a value cannot be shown or writing fails.
    """
    if format == "parquet":
        _emit_parquet(table, output)
        return
    names, rows = _distinct(table.column_names), _rows(table if format != "table" else table.slice(0, MOST_ROWS))
    if format == "json":
        keys = [json.dumps(name, ensure_ascii=False) for name in names]
        lines = (
            "  {" + ", ".join(f"{key}: {json_cell(cell)}" for key, cell in zip(keys, row, strict=True)) + "}"
            for row in rows
        )
        emit_text("[\n" + ",\n".join(lines) + "\n]\n" if rows else "[]\n", output)
    elif format == "csv":
        emit_text(_csv(names, rows), output)
    else:
        from analytics.table import Column, Table
        from cli.screen import render_table

        left = table.num_rows - len(rows)
        kinds = [_is_number(field.type) for field in table.schema]
        shown = Table(
            tuple(
                Column(name, "number" if is_number else "text") for name, is_number in zip(names, kinds, strict=True)
            ),
            tuple(tuple(None if cell is None else text_cell(cell) for cell in row) for row in rows),
            more=f"and {left} more rows: --format csv, json or parquet" if left else "",
        )
        _emit_screen(lambda width: render_table(shown, width), output)


def show_table(table: Table) -> None:
    """Print a table for a person, as wide as the terminal."""
    from cli.screen import render_table

    _emit_screen(lambda width: render_table(table, width), None)


def show_sheet(sheet: Sheet) -> None:
    """Print a screen for a person, as wide as the terminal."""
    from cli.screen import render_sheet

    _emit_screen(lambda width: render_sheet(sheet, width), None)


def show_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print labels and texts in two columns for a person; an empty label continues the one above."""
    from cli.screen import render_facts

    _emit_screen(lambda width: render_facts(facts, width), None)


def emit_json(value: Any) -> None:
    """Print plain values as JSON."""
    emit_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


# CSV


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    return "".join(",".join(csv_cell(cell) for cell in row) + "\n" for row in (names, *rows))


def _csv_of(table: Table) -> str:
    return _csv([column.name for column in table.columns], table.rows)


# Arrow


def _arrow_of(table: Table) -> pa.Table:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "count": pa.int64(),
        "rate": pa.float64(),
        "number": pa.float64(),
        "seconds": pa.float64(),
        "time": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "flag": pa.bool_(),
    }
    schema = pa.schema([(column.name, types[column.kind]) for column in table.columns])
    columns = [pa.array([row[number] for row in table.rows], type=field.type) for number, field in enumerate(schema)]
    return pa.Table.from_arrays(columns, schema=schema)


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    try:
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    except (ValueError, OverflowError) as error:
        raise GdpError(f"a value cannot be shown ({error}): cast it to text in the query") from None


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, a repeated one with a number behind it: JSON objects have each key once."""
    found: list[str] = []
    for name in names:
        number, candidate = 1, name
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found.append(candidate)
    return found


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow.types as types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


# Writing


def emit_text(text: str, output: Path | None = None) -> None:
    """Print a text, or write it to a file; in UTF-8, whatever the terminal speaks."""
    data = text.encode()
    if output is None or output == STDOUT:
        _to_stdout(data)
    else:
        _to_file(output, lambda file: file.write(data))


def _emit_screen(render: Callable[[int | None], str], output: Path | None) -> None:
    from cli.screen import screen_width

    if output is not None and output != STDOUT:
        emit_text(render(None), output)
        return
    _to_stdout(render(screen_width()).encode(sys.stdout.encoding or "utf-8", "replace"))


def _emit_parquet(table: pa.Table, output: Path | None) -> None:
    import pyarrow.parquet as pq

    if output is None or (output == STDOUT and sys.stdout.isatty()):
        raise UsageError(NEEDS_A_FILE)
    if output == STDOUT:
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        _to_stdout(buffer.getvalue())
    else:
        _to_file(output, lambda file: pq.write_table(table, file, compression="zstd"))


def _to_stdout(data: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer would fail once more when the interpreter ends.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            # Whoever reads has seen enough; the exit code is that of a program which SIGPIPE ends.
            raise typer.Exit(141) from None
        raise GdpError(f"standard output: {error.strerror}") from None


def _to_file(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Replace a file by what is written, all or nothing; a device or a pipe is written as it is."""
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        kind = stat.S_IFREG
    except OSError as error:
        raise UsageError(f"--output {path}: {error.strerror}") from None
    if stat.S_ISDIR(kind):
        raise UsageError(f"--output {path} is a folder: give the name of a file")
    if not stat.S_ISREG(kind):
        try:
            with path.open("wb") as file:
                write(file)
        except OSError as error:
            raise GdpError(f"--output {path}: {error.strerror or error}") from None
        return
    target = path.resolve()
    if not target.parent.is_dir():
        raise UsageError(f"--output {path}: there is no folder {target.parent}")
    partial = target.with_name(f".{target.name[:200]}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            write(file)
        partial.replace(target)
    except OSError as error:
        raise GdpError(f"--output {path}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
