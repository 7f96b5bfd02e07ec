"""The ways in: gdp ingest SOURCE."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.asking import ScreenFormat
from cli.state import state_of

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import SecretStr

    from ingest.events import Progress
    from ingest.options import LandOptions, Writer
    from ingest.summary import IngestSummary


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(help="Land what happened: files of events, and of what services deliver.", no_args_is_help=True)
    group.command("events")(events)
    group.command("segment")(segment)
    group.command("meta")(meta)
    group.command("stripe")(stripe)
    app.add_typer(group, name="ingest")


Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders, patterns; - is standard input.")]
ReceivedAt = Annotated[
    str | None,
    typer.Option("--received-at", metavar="TIME", help="When deliveries were received that do not say so themselves."),
]


def events(
    context: typer.Context,
    paths: Paths,
    source: Annotated[
        Literal["app", "stripe", "meta_pixel", "segment", "custom"] | None,
        typer.Option("--source", help="The source of events that name none; app for JSON events, custom for others."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="MAP", help="ours=theirs,... or a mapping file (docs/mapping.md)."),
    ] = None,
    tz: Annotated[
        str | None, typer.Option("--tz", metavar="ZONE", help="IANA zone of times without one in mapped files; UTC.")
    ] = None,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="The CSV or Parquet files are known to be clean: check only what must be.")
    ] = False,
    format: ScreenFormat = "table",
) -> None:
    """Land events from JSONL, JSON, CSV and Parquet files, also gzipped; what cannot land goes to the quarantine.

    Each file lands as a whole or not at all, and the same file lands once.
    """
    from ingest.mapping import load_mapping
    from ingest.options import LandOptions

    options = LandOptions(
        mapping=load_mapping(mapping) if mapping else None, source=source, tz=zone_name(tz), trusted=trusted
    )
    _land(context, paths, options, format)


def segment(
    context: typer.Context, paths: Paths, received_at: ReceivedAt = None, format: ScreenFormat = "table"
) -> None:
    """Land what Segment's or RudderStack's clients sent: bodies of its HTTP API, or archived messages, as JSON.

    All six calls and batches are read; docs/sources.md says how.
    """
    _land_service(context, "segment", paths, received_at, format)


def meta(context: typer.Context, paths: Paths, received_at: ReceivedAt = None, format: ScreenFormat = "table") -> None:
    """Land what was sent to Meta's Conversions API, by the pixel or by a server: its payloads as JSON.

    What Meta wants hashed lands as a hash; docs/sources.md says how each field is read.
    """
    _land_service(context, "meta", paths, received_at, format)


def stripe(
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH...", help="Files, folders, patterns; - is standard input.")
    ] = None,
    received_at: ReceivedAt = None,
    from_api: Annotated[
        bool, typer.Option("--from-api", help="Ask Stripe's API itself, with the key in STRIPE_API_KEY.")
    ] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="From the API only what was created since.")
    ] = None,
    objects: Annotated[
        list[str] | None,
        typer.Option("--objects", metavar="KINDS", help="From the API only these, such as customers,subscriptions."),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ACCT", help="The connected account whose they are.")
    ] = None,
    format: ScreenFormat = "table",
) -> None:
    """Land what Stripe sent or answered: webhook events, objects and lists of its API, as JSON, or from the API.

    Bodies are kept as they are; what they mean is worked out by gdp build. docs/sources.md says how.
    """
    from models.errors import UsageError

    if from_api:
        if paths or received_at:
            raise UsageError("--from-api takes neither files nor --received-at: Stripe is asked now")
        _fetch_stripe(context, since, objects or [], account or "", format)
    elif since or objects:
        raise UsageError("--since and --objects are for --from-api")
    elif not paths:
        raise UsageError("name files, or ask Stripe's API with --from-api")
    else:
        _land_service(context, "stripe", paths, received_at, format, account=account or "")


def _fetch_stripe(
    context: typer.Context, since: str | None, objects: list[str], account: str, format: Literal["table", "json"]
) -> None:
    """Land what Stripe's API lists, print what became of it, and exit."""
    from cli.progress import counting
    from models.moments import parse_moment
    from pipeline.stripe import fetch

    state = state_of(context)
    project = state.project()
    first = parse_moment(since, what="--since") if since else None
    names = [name.strip() for given in objects for name in given.split(",")]
    with counting("pages of Stripe's API") as tick:
        summary = fetch(
            project,
            stripe_key(),
            names,
            account=account,
            since=first,
            clock=state.now,
            on_progress=lambda kind, count: tick(f"{kind}, {count:,} of them so far"),
        )
    _report(summary, format, "objects")


def stripe_key() -> SecretStr:
    """The key that Stripe's API is asked with: from the environment alone, where no other user can read it.

    Raises:
        UsageError: if there is none.
    """
    from pydantic import SecretStr

    from models.errors import UsageError

    key = os.environ.get("STRIPE_API_KEY", "").strip()
    if not key:
        raise UsageError("STRIPE_API_KEY is not set: export a secret key or a restricted one (docs/sources.md)")
    return SecretStr(key)


def _land_service(
    context: typer.Context,
    writer: Writer,
    paths: list[str],
    received_at: str | None,
    format: Literal["table", "json"],
    *,
    account: str = "",
) -> None:
    """Land the deliveries of a service."""
    from ingest.options import LandOptions
    from ingest.stripecheck import account_id

    options = LandOptions(
        writer=writer, received_at=_receipt(received_at, state_of(context).now()), account=account_id(account)
    )
    _land(context, paths, options, format)


def _receipt(given: str | None, now: datetime) -> datetime | None:
    from models.errors import UsageError
    from models.moments import parse_moment

    moment = parse_moment(given, what="--received-at") if given else None
    if moment and moment > now:
        raise UsageError(f"--received-at {given} is in the future")
    return moment


def _land(context: typer.Context, paths: list[str], options: LandOptions, format: Literal["table", "json"]) -> None:
    """Land files, print what became of them, and exit."""
    from pipeline.intake import land

    state = state_of(context)
    project = state.project()
    stdin = sys.stdin.buffer if "-" in paths else None
    with _progress() as tell:
        summary = land(project, paths, options, now=state.now(), stdin=stdin, progress=tell)
    _report(summary, format, "file")


def _report(summary: IngestSummary, format: Literal["table", "json"], what: str) -> None:
    """Print what became of the parts of an ingest, and exit."""
    if format == "json":
        typer.echo(json.dumps(summary.to_json(), indent=2, ensure_ascii=False))
    else:
        _print(summary, what)
    for file in summary.files:
        if file.warning:
            typer.echo(f"gdp: warning: {file.warning}", err=True)
        if file.error:
            typer.echo(f"gdp: {file.path}: {file.error}", err=True)
    raise typer.Exit(summary.exit_code)


def zone_name(given: str | None) -> str | None:
    """The time zone that ``--tz`` names.

    Raises:
        UsageError: if there is none of that name.
    """
    from models.errors import UsageError
    from warehouse.settings import zone

    try:
        return zone(given).key if given else None
    except ValueError as error:
        raise UsageError(f"--tz: {error}") from None


def _print(summary: IngestSummary, what: str) -> None:
    from analytics.table import Column, Table
    from cli.output import show_facts, show_table

    counts = ("rows in", "landed", "duplicate", "quarantined")
    columns = (Column(what), *(Column(name, "count") for name in counts))
    rows = [(file.path, file.rows_in, file.landed, file.duplicate, file.quarantined) for file in summary.files]
    if len(rows) > 1:
        rows.append(("all", summary.rows_in, summary.landed, summary.duplicate, summary.quarantined))
    show_table(Table(columns, tuple(rows)))
    for note in dict.fromkeys(note for file in summary.files for note in file.notes):
        typer.echo(note)
    if summary.quarantined:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in summary.reasons.items())
        show_facts([("in quarantine:", f"{reasons} (gdp quarantine list)")])


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None] | None]:
    """A bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("landing")

        def tell(progress: Progress) -> None:
            of = f" ({progress.number} of {progress.files})" if progress.files > 1 else ""
            bars.update(
                task,
                description=escape(f"landing {progress.name}{of}"),
                completed=progress.bytes_read,
                total=progress.bytes_total,
            )

        yield tell
