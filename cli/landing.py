"""What was handed in: gdp landing list, forget."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import ScreenFormat
from cli.state import state_of

if TYPE_CHECKING:
    from analytics.table import Table
    from pipeline.landings import LandingState


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(help="What was handed in, and taking it back.", no_args_is_help=True)
    group.command("list")(list_)
    group.command()(forget)
    app.add_typer(group, name="landing")


def list_(context: typer.Context, format: ScreenFormat = "table") -> None:
    """List what landed, one line a file: its number, its rows, and whether it is built."""
    from cli.output import emit_json, emit_text, show_table
    from pipeline.landings import list_landings

    found = list_landings(state_of(context).project())
    if format == "json":
        emit_json([landing.to_json() for landing in found])
    elif found:
        show_table(_table(found))
    else:
        emit_text("nothing has landed\n")


def forget(
    context: typer.Context,
    landings: Annotated[list[int], typer.Argument(metavar="LANDING...", help="Numbers that gdp landing list shows.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    format: ScreenFormat = "table",
) -> None:
    """Take landings back, as after a wrong --map: their rows, landed and refused, count no longer.

    The same files can land again. The next build starts from an empty file.
    """
    from cli.output import emit_json, emit_text
    from cli.screen import render_table, screen_width
    from models.errors import UsageError
    from pipeline.landings import forget_landings, list_landings

    state = state_of(context)
    project = state.project()
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked: add --yes to forget them")
        # Beside the question: standard output is for what was forgotten.
        typer.echo(render_table(_table(list_landings(project, landings)), screen_width()), nl=False, err=True)
        typer.confirm("Forget these?", abort=True, err=True)
    forgotten = forget_landings(project, landings, now=state.now())
    if format == "json":
        emit_json(
            {
                "forgotten": [landing.number for landing in forgotten.landings],
                "rows": sum(landing.landed for landing in forgotten.landings),
                "quarantined": sum(landing.quarantined for landing in forgotten.landings),
                "land_again": list(forgotten.land_again),
            }
        )
        return
    for landing in forgotten.landings:
        refused = f" and {landing.quarantined:,} in quarantine" if landing.quarantined else ""
        emit_text(f"forgot landing {landing.number} of {landing.name}: {landing.landed:,} landed rows{refused}\n")
    for name in forgotten.land_again:
        emit_text(f"land {name} again: rows of it were left out because equal ones had landed before\n")


def _table(found: list[LandingState]) -> Table:
    from analytics.table import Column, Table

    columns = (
        Column("landing", "number"),
        Column("file"),
        Column("source"),
        Column("when", "time"),
        Column("landed", "count"),
        Column("refused", "count"),
        Column("batches"),
        Column("state"),
    )
    rows = [
        (
            *(one.landing.number, one.landing.name, one.source, one.landing.landed_at),
            *(one.landing.landed, one.landing.quarantined, _span(one.landing.batches), one.state),
        )
        for one in found
    ]
    return Table(columns, tuple(rows))


def _span(batches: tuple[int, ...]) -> str | None:
    """The numbers of a landing's batches, which follow one another."""
    if not batches:
        return None
    return str(batches[0]) if len(batches) == 1 else f"{batches[0]}-{batches[-1]}"
