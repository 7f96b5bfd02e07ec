"""Commands that make the tables: prepare and build."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.asking import ScreenFormat
from cli.state import state_of

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="The warehouse's now, such as 2026-01-31 (in UTC) or 2026-01-31T12:00Z."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(prepare)
    app.command()(build)


def prepare(
    context: typer.Context,
    as_of: AsOf = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Start from an empty file.")] = False,
) -> None:
    """Lay out the build folder for running dbt by hand, and print its path; nothing is published."""
    from cli.output import emit_text
    from pipeline.build import prepare as lay_out

    state = state_of(context)
    folder = lay_out(state.project(), as_of=_moment(as_of, state.now()), now=state.now(), full_refresh=full_refresh)
    emit_text(f"{folder}\n")


def build(
    context: typer.Context,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build every table from an empty file.")] = False,
    as_of: AsOf = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a build that is running.")] = 0,
    format: ScreenFormat = "table",
) -> None:
    """Build the tables from everything that has landed, test them, and publish them."""
    from cli.output import emit_json, emit_text
    from cli.progress import counting
    from pipeline.build import build as run_build

    state = state_of(context)
    with counting("building") as tick:
        report = run_build(
            state.project(),
            as_of=_moment(as_of, state.now()),
            clock=state.now,
            full_refresh=full_refresh,
            wait=wait,
            on_node=tick,
        )
    if format == "json":
        emit_json(report.to_json())
    else:
        emit_text("".join(f"{line}\n" for line in report.lines()))


def _moment(text: str | None, now: datetime) -> datetime:
    from models.errors import UsageError
    from models.moments import parse_moment

    if text is None:
        return now
    moment = parse_moment(text, what="--as-of")
    if moment > now + timedelta(days=1):
        raise UsageError(f"--as-of {text} is more than a day ahead: what will have happened by then is not known")
    return moment
