"""What was missed: gdp reconcile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import ScreenFormat
from cli.state import state_of

if TYPE_CHECKING:
    from ingest.stripereconcile import Reconciliation


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(reconcile)


def reconcile(
    context: typer.Context,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ACCT", help="The connected account that is compared.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what was missed.")] = False,
    format: ScreenFormat = "table",
) -> None:
    """Compare what has landed with what Stripe's API says now, and land what was missed.

    Compared are all subscriptions with their customers and latest invoices, and the events of the last 30 days.
    """
    from cli.ingest import stripe_key
    from cli.output import emit_json
    from cli.progress import counting
    from pipeline.stripe import compare

    state = state_of(context)
    project = state.project()
    with counting("pages of Stripe's API") as tick:
        found = compare(
            project,
            stripe_key(),
            account=account or "",
            dry_run=dry_run,
            clock=state.now,
            on_progress=lambda kind, count: tick(f"{kind}, {count:,} of them so far"),
        )
    if format == "json":
        emit_json(found.to_json())
    else:
        _show(found)
    for kind in found.kinds:
        if kind.error:
            typer.echo(f"gdp: {kind.kind}: {kind.error}", err=True)
    raise typer.Exit(found.exit_code)


def _show(found: Reconciliation) -> None:
    from analytics.table import Column, Table
    from cli.output import emit_text, show_table

    counts = ("listed", "equal", "missing", "stale", "landed", "quarantined")
    columns = (Column("objects"), *(Column(name, "count") for name in counts))
    show_table(Table(columns, tuple((kind.kind, *(getattr(kind, name) for name in counts)) for kind in found.kinds)))
    for kind in found.kinds:
        if kind.differs:
            names = ", ".join(f"{name} {count:,}" for name, count in kind.differs.most_common())
            emit_text(f"stale {kind.kind} differ in: {names}\n")
    if found.is_dry_run:
        emit_text("nothing was landed: --dry-run\n")
