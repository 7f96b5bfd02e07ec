"""A made-up world to try things on: gdp simulate."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.asking import ScreenFormat


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(simulate)


def simulate(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write; it must not hold anything.")],
    persons: Annotated[int, typer.Option("--persons", metavar="N", help="How many visitors there are.")] = 5000,
    days: Annotated[int, typer.Option("--days", metavar="D", help="How many days.")] = 365,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Another seed is another world.")] = 1,
    start: Annotated[
        str | None, typer.Option("--start", metavar="DATE", help="The first day (UTC); 2025-10-01 by default.")
    ] = None,
    format: ScreenFormat = "table",
) -> None:
    """Write what the systems of a made-up video studio would have sent, and what is true of it (docs/simulator.md).

    Equal options give equal bytes. DIR gets files of app, Segment, Stripe and Meta, a folder truth, and manifest.json.
    """
    from cli.output import emit_json
    from ingest.simulator.simulate import DEFAULT_START, Arguments
    from ingest.simulator.simulate import simulate as write_world

    arguments = Arguments(persons, days, seed, _first_day(start) or DEFAULT_START)
    arguments.check()
    with _progress(persons) as tell:
        manifest = write_world(arguments, out, progress=tell)
    if format == "json":
        emit_json(manifest)
    else:
        _print(manifest)


def _first_day(text: str | None) -> date | None:
    from models.errors import UsageError

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--start {text!r} is not a date like 2025-10-01") from None


def _print(manifest: dict[str, Any]) -> None:
    from analytics.table import Column, Table
    from cli.output import emit_text, show_table

    columns = (Column("files"), *(Column(name, "count") for name in ("lines", "events", "duplicates", "malformed")))
    rows = [
        (kind, told["lines"], told["events"], told["duplicates"], sum(told["malformed"].values()))
        for kind, told in manifest["deliveries"].items()
    ]
    show_table(Table(columns, tuple(rows)))
    emit_text(f"as of {manifest['as_of']}: gdp build --as-of {manifest['as_of']}\n")


@contextmanager
def _progress(persons: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("persons"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("persons", total=persons)
        yield lambda done: bars.update(task, completed=done)
