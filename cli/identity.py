"""Commands about who is who: person and identity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.asking import ScreenFormat
from cli.state import state_of

if TYPE_CHECKING:
    from cli.output import Screen

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept beside the rule.")]
OneSide = Annotated[str, typer.Argument(metavar="A", help="An identifier, as type:value.")]
OtherSide = Annotated[str, typer.Argument(metavar="B", help="Another one.")]
Author = Annotated[str | None, typer.Option("--author", metavar="NAME", help="Who says so.")]
Hashed = Annotated[bool, typer.Option("--hashed", help="Write the two as UUIDs, so that the file names nobody.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    person = typer.Typer(help="What is known of one person.", no_args_is_help=True)
    person.command("show")(show_person)
    app.add_typer(person, name="person")
    identity = typer.Typer(help="Who is who, and why.", no_args_is_help=True)
    identity.command("report")(report)
    identity.command("explain")(explain)
    identity.command("preview")(preview)
    identity.command("link")(link)
    identity.command("cut")(cut)
    app.add_typer(identity, name="identity")


def show_person(
    context: typer.Context,
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="type:value, a value of any type, an e-mail, or any id of a person.")
    ],
    format: ScreenFormat = "table",
) -> None:
    """Show a person: profile, identifiers, subscriptions, segments and last events."""
    from analytics.person_card import show_person as look_up

    with state_of(context).warehouse() as warehouse:
        _print(look_up(warehouse, identifier), format)


def report(
    context: typer.Context,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth",
            metavar="FILE",
            help="Parquet or CSV of who is known to be who: columns person, type, value; or a, b and same_person.",
        ),
    ] = None,
    format: ScreenFormat = "table",
) -> None:
    """Count the identity graph: sizes of persons, hubs, shared devices, orphans, refused pairs.

    With --truth it is held against what is known instead: precision and recall by pairs of identifiers, and each miss
    with its reason.
    """
    from analytics.identity_report import identity_report
    from analytics.identity_truth import identity_against
    from pipeline.truth_file import read_truth

    known = read_truth(truth) if truth else None
    with state_of(context).warehouse() as warehouse:
        if truth and known:
            _print(identity_against(warehouse, known, truth=truth.name), format)
        else:
            _print(identity_report(warehouse), format)


def explain(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="An identifier, as for gdp person show.")],
    b: OtherSide,
    format: ScreenFormat = "table",
) -> None:
    """Say which events make two identifiers one person's, or which rule keeps them apart."""
    from analytics.identity_explain import explain as why

    state = state_of(context)
    rules = state.project().definitions().identity
    with state.warehouse() as warehouse:
        _print(why(warehouse, a, b, rules), format)


def preview(
    context: typer.Context,
    rules: Annotated[Path, typer.Option("--rules", metavar="FILE", help="The rules to try, as in identity.yml.")],
    stages: Annotated[
        str | None,
        typer.Option("--funnel", metavar="STAGES", help="Also compare this funnel: event types, separated by commas."),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option("--window", metavar="LENGTH", help="Of the funnel: 24h, 90d, 2w, 3m, 1y.", show_default="30d"),
    ] = None,
    examples: Annotated[
        int, typer.Option("--examples", metavar="N", min=0, help="How many merges and splits to tell one by one.")
    ] = 5,
    format: ScreenFormat = "table",
) -> None:
    """Say which persons other rules would merge and split, and what that changes; a dry run that keeps nothing.

    Revenue, segments and the funnel are compared, too. It takes about as long as a full build.
    """
    from analytics.funnel import FunnelSpec
    from analytics.spec import make_spec
    from cli.progress import counting
    from models.errors import UsageError
    from pipeline.identity_preview import preview_identity

    if window and not stages:
        raise UsageError("--window is that of a funnel: name its stages with --funnel")
    state = state_of(context)
    funnel = make_spec(FunnelSpec, stages=tuple(stages.split(",")), window=window) if stages else None
    with counting("trying the rules") as tick:
        answer = preview_identity(
            state.project(), rules, now=state.now(), stages=funnel, examples=examples, on_node=tick
        )
    _print(answer, format)


def link(
    context: typer.Context,
    a: OneSide,
    b: OtherSide,
    reason: Reason,
    author: Author = None,
    hashed: Hashed = False,
    format: ScreenFormat = "table",
) -> None:
    """Say that two identifiers are one person's; the next build makes them so."""
    _decide(context, "link", (a, b), reason, author, format, hashed=hashed)


def cut(
    context: typer.Context,
    a: OneSide,
    b: OtherSide,
    reason: Reason,
    author: Author = None,
    hashed: Hashed = False,
    format: ScreenFormat = "table",
) -> None:
    """Say that two identifiers are not one person's, by whatever path; the next build parts them, history included."""
    _decide(context, "cut", (a, b), reason, author, format, hashed=hashed)


def _decide(
    context: typer.Context,
    kind: Literal["link", "cut"],
    pair: tuple[str, str],
    reason: str,
    author: str | None,
    format: Literal["table", "json"],
    *,
    hashed: bool,
) -> None:
    from cli.output import emit_json, emit_text
    from pipeline.hand_rules import add_hand_rule

    state = state_of(context)
    added = add_hand_rule(
        state.project(), kind, pair, reason=reason, author=author, decided_at=state.now(), by_alias=hashed
    )
    if format == "json":
        emit_json(added.to_json())
    else:
        emit_text(f"{added.path}: {kind} {added.pair[0]} and {added.pair[1]}; gdp build applies it\n")
    for name in added.unknown:
        typer.echo(f"gdp: warning: no event of this build carried {name}: is it written as it was sent?", err=True)


def _print(answer: Screen, format: Literal["table", "json"]) -> None:
    from cli.output import emit_json, show_sheet

    if format == "json":
        emit_json(answer.to_json())
    else:
        show_sheet(answer.table())
