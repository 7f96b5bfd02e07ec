"""Reports on subscriptions: trials."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli.reports import From, KnownAt, Output, OutputFormat, To, Zone, known_at_of, moment_of
from cli.state import state_of


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(trials)


def trials(
    context: typer.Context,
    by: Annotated[
        Literal["plan", "product", "country", "cohort"] | None,
        typer.Option("--by", help="What rows are told apart by."),
    ] = None,
    interval: Annotated[Literal["day", "week", "month"], typer.Option("--interval", help="Width of a row.")] = "month",
    start: From = None,
    end: To = None,
    known_at: KnownAt = None,
    tz: Zone = None,
    format: OutputFormat = "table",
    output: Output = None,
) -> None:
    """How many trials began, converted, were extended, ended without a payment, or still run."""
    from analytics import get_trials
    from cli.output import emit_report

    state = state_of(context)
    name = tz or state.project().settings.tz
    times = {key: moment_of(text, name, key) for key, text in {"start": start, "end": end}.items() if text is not None}
    with state.warehouse(past=known_at_of(context, known_at)) as warehouse:
        emit_report(get_trials(warehouse, interval=interval, by=by, tz=name, **times), format=format, output=output)
