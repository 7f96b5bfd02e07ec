"""What could not land: gdp quarantine list, show, replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.asking import ScreenFormat
from cli.state import state_of

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Rows, such as 12-3, or batches, such as 12.")]
OneReason = Annotated[str | None, typer.Option("--reason", help="Only rows that were refused for this reason.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(help="What could not land, why, and landing it once it is put right.", no_args_is_help=True)
    group.command("list")(list_)
    group.command()(show)
    group.command()(replay)
    app.add_typer(group, name="quarantine")


def list_(context: typer.Context, format: ScreenFormat = "table") -> None:
    """Count the refused rows by file and reason."""
    from analytics.table import Column, Table
    from cli.output import show_table
    from ingest.quarantine import count_quarantine

    counts = count_quarantine(state_of(context).project().existing_home())
    if format == "json":
        _print_json([count.to_json() for count in counts])
        return
    if not counts:
        typer.echo("nothing is in quarantine")
        return
    columns = (
        Column("batch"),
        Column("file"),
        Column("reason"),
        Column("refused", "count"),
        Column("waiting", "count"),
        Column("since"),
    )
    rows = [(str(one.batch), one.file, one.reason, one.refused, one.waiting, one.since) for one in counts]
    show_table(Table(columns, tuple(rows)))


def show(
    context: typer.Context,
    ids: Ids = None,
    reason: OneReason = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most rows to show.")] = 20,
    format: ScreenFormat = "table",
) -> None:
    """Show refused rows as they came; without ids, those that wait."""
    from cli.screen import printable
    from ingest.quarantine import quarantined_rows

    home = state_of(context).project().existing_home()
    rows = quarantined_rows(home, ids or [], reason=reason, waiting_only=not ids)[:limit]
    if format == "json":
        _print_json([row.to_json() for row in rows])
        return
    for row in rows:
        place = f"row {row.row_number:,} of {row.file}" if row.row_number else row.file
        settled = f" [{row.outcome}]" if row.outcome else ""
        typer.echo(f"{row.id}  {row.reason}{settled}  {printable(place)}: {printable(row.detail)}")
        typer.echo(f"    {printable(row.text[:2000])}")


def replay(
    context: typer.Context,
    ids: Ids = None,
    edit: Annotated[
        Path | None,
        typer.Option("--edit", metavar="FILE", help="Corrected rows, as show --format json prints them."),
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="MAP", help="A mapping in place of the first one.")
    ] = None,
    source: Annotated[
        Literal["app", "stripe", "meta_pixel", "segment", "custom"] | None,
        typer.Option("--source", help="The source of events that name none."),
    ] = None,
    tz: Annotated[str | None, typer.Option("--tz", metavar="ZONE", help="IANA zone of times without one.")] = None,
    reason: OneReason = None,
    format: ScreenFormat = "table",
) -> None:
    """Try refused rows again: all that wait, or these, as they came or corrected; what lands no longer waits."""
    from cli.ingest import zone_name
    from cli.screen import printable
    from ingest.mapping import load_mapping
    from ingest.options import LandOptions
    from ingest.replay import read_edits
    from pipeline.intake import replay_rows

    state = state_of(context)
    options = LandOptions(mapping=load_mapping(mapping) if mapping else None, source=source, tz=zone_name(tz))
    edits = read_edits(edit) if edit else {}
    summary = replay_rows(state.project(), ids or [], options, now=state.now(), edits=edits, reason=reason)
    if format == "json":
        _print_json(summary.to_json())
        return
    typer.echo(
        f"{summary.rows_in:,} rows tried: {summary.landed:,} landed, {summary.duplicate:,} were there already,"
        f" {len(summary.still_refused):,} still refused"
    )
    for row_id, detail in list(summary.still_refused.items())[:10]:
        typer.echo(f"{row_id}  {printable(detail)}")


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
