"""Commands about segments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.asking import AsOf, From, Output, OutputFormat, Question, ScreenFormat, To, asks, moment_of
from cli.state import state_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from models.segment import SegmentDefinition
    from pipeline.live import Live

SegmentName = Annotated[str, typer.Argument(metavar="SEGMENT", help="Id of a segment.")]
Person = Annotated[
    str, typer.Argument(metavar="PERSON", help="type:value, a value of any type, an e-mail, or any id of a person.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    segment = typer.Typer(help="Who belongs together, since when, and why.", no_args_is_help=True)
    segment.command("list")(list_all)
    segment.command("show")(show)
    segment.command("validate")(validate)
    segment.command("preview")(preview)
    segment.command("create")(create)
    segment.command("members")(members)
    segment.command("is-member")(is_member)
    segment.command("diff")(diff)
    segment.command("history")(history)
    segment.command("sizes")(sizes)
    segment.command("explain")(explain)
    app.add_typer(segment, name="segment")


def list_all(context: typer.Context, format: OutputFormat = "table", output: Output = None) -> None:
    """List the segments: how many are in each, and whether its definition changed since the build."""
    from cli.output import emit_report
    from pipeline.segments import list_segments

    emit_report(list_segments(state_of(context).project()), format=format, output=output)


def show(context: typer.Context, segment: SegmentName) -> None:
    """Say what a segment asks for, in English and as SQL."""
    from analytics.segment_leaves import PUBLISHED
    from analytics.segment_rules import compile_segment
    from analytics.segment_tree import tree_of
    from analytics.segment_words import sentence
    from cli.output import emit_text

    defined = _defined(context)
    found = defined[_known(segment, defined)]
    sql = compile_segment(found, PUBLISHED, defined.values())
    emit_text(f"-- {found.name}: {sentence(tree_of(found))}\n{sql}\n")


def validate(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files of segments; else all of the project.")
    ] = None,
    format: ScreenFormat = "table",
) -> None:
    """Check definitions: what is wrong, with file and line, and which names nothing answers to.

    The exit code is 2 if anything is wrong.
    """
    from cli.output import emit_json, show_sheet
    from pipeline.segment_check import check_segments

    found = check_segments(state_of(context).project(), files or ())
    if format == "json":
        emit_json(found.to_json())
    else:
        show_sheet(found.table())
    if found.problems:
        raise typer.Exit(2)


def preview(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A segment that is not defined, or not yet so.")],
    as_of: AsOf = None,
    examples: Annotated[int, typer.Option("--examples", min=0, max=1000, help="How many persons to name.")] = 5,
    format: ScreenFormat = "table",
) -> None:
    """Say whom a definition would hold before it is saved: how many, who, and which other segments they are in."""
    from cli.output import emit_json, show_sheet
    from pipeline.segment_drafts import preview_file

    moment = _moment(context, as_of)
    found = preview_file(state_of(context).project(), file, as_of=moment, examples=examples)
    if format == "json":
        emit_json(found.to_json())
    else:
        show_sheet(found.table())


def create(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="YAML, JSON or SQL; - for standard input.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace the segment of this id.")] = False,
    format: ScreenFormat = "table",
) -> None:
    """Check a segment and write it into the definitions; the next build works out its whole past."""
    from cli.output import emit_json, emit_text
    from pipeline.segment_drafts import create_segment

    created = create_segment(state_of(context).project(), _definition(file), replace=replace)
    for warning in created.warnings:
        typer.echo(f"gdp: warning: {warning}", err=True)
    if format == "json":
        emit_json(created.to_json())
    else:
        done = "replaced" if created.replaced else "wrote"
        emit_text(f"{done} {created.path}: segment {created.segment.segment_id} (gdp build works it out)\n")


def members(
    context: typer.Context,
    segment: SegmentName,
    as_of: AsOf = None,
    format: OutputFormat = "table",
    output: Output = None,
) -> None:
    """List who is in a segment, now or as of any moment."""
    from analytics import get_segment_members
    from cli.output import emit_report

    moment = _moment(context, as_of)
    with state_of(context).warehouse() as warehouse:
        emit_report(get_segment_members(warehouse, segment, as_of=moment), format=format, output=output)


def is_member(
    context: typer.Context, segment: SegmentName, person: Person, as_of: AsOf = None, format: ScreenFormat = "table"
) -> None:
    """Say whether somebody is in a segment, by the published build and all that landed since."""
    from cli.output import emit_json, emit_text

    with _live(context) as live:
        answer = live.membership(person, segment, as_of=_present(context, live, as_of))
    if format == "json":
        emit_json(answer.to_json())
    else:
        emit_text("yes\n" if answer.is_member else "no\n")


def diff(
    context: typer.Context,
    segment: SegmentName,
    start: From = None,
    end: To = None,
    definition: Annotated[
        Path | None, typer.Option("--definition", metavar="FILE", help="Compare with what it would be, now.")
    ] = None,
    format: OutputFormat = "table",
    output: Output = None,
) -> None:
    """List who entered a segment and who left it between two moments, or would by another definition.

    --to is the build's now unless given.
    """
    from analytics.segment_diff import diff as compare
    from cli.output import emit_report
    from models.errors import UsageError
    from pipeline.segment_drafts import diff_file

    since, until = _moment(context, start, "start"), _moment(context, end, "end")
    if definition and (since or until):
        raise UsageError("--definition compares with the build's now: leave out --from and --to")
    if definition:
        found = diff_file(state_of(context).project(), segment, definition)
        emit_report(found, format=format, output=output)
        return
    if since is None:
        raise UsageError("give --from, the moment to compare with, such as --from 2026-06-01, or --definition")
    with state_of(context).warehouse() as warehouse:
        emit_report(compare(warehouse, segment, since, until or warehouse.as_of), format=format, output=output)


def history(
    context: typer.Context,
    segment: Annotated[str | None, typer.Argument(metavar="[SEGMENT]", help="Id of a segment.")] = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="PERSON", help="Only this person's, by any identifier.")
    ] = None,
    start: From = None,
    end: To = None,
    format: OutputFormat = "table",
    output: Output = None,
) -> None:
    """List who entered and who left a segment when, or a person's entries and exits, the latest first."""
    from analytics.segment_history import history as changes
    from cli.output import emit_report

    since, until = _moment(context, start, "start"), _moment(context, end, "end")
    with state_of(context).warehouse() as warehouse:
        found = changes(warehouse, segment, person, start=since, end=until)
        emit_report(found, format=format, output=output)


@asks("start", "end", "as_of")
def sizes(
    segment: SegmentName,
    interval: Annotated[Literal["day", "week", "month"], typer.Option("--interval", help="Width of a row.")] = "month",
) -> Question:
    """How large a segment was at the end of each day, week or month, and how many entered and left."""
    from analytics import segment_sizes as report

    return Question(report, report.SizesSpec, {"segment_id": segment, "interval": interval})


def explain(
    context: typer.Context, segment: SegmentName, person: Person, as_of: AsOf = None, format: ScreenFormat = "table"
) -> None:
    """Say of every rule whether it holds for somebody, and what decides it, by all that landed."""
    from cli.output import emit_json, show_sheet

    with _live(context) as live:
        answer = live.explain(person, segment, as_of=_present(context, live, as_of))
    if format == "json":
        emit_json(answer.to_json())
    else:
        show_sheet(answer.table())


def _live(context: typer.Context) -> AbstractContextManager[Live]:
    from pipeline.live import open_live

    state = state_of(context)
    return open_live(state.project(), clock=state.now)


def _present(context: typer.Context, live: Live, text: str | None) -> datetime:
    """The moment that was given; else the build's now, or the present where something has landed since."""
    moment = _moment(context, text)
    rows = live.rows_since_build
    moment = moment or (state_of(context).now() if rows else live.built_as_of)
    if rows:
        counted = "1 row that landed since the build counts" if rows == 1 else f"{rows:,} rows that landed since count"
        typer.echo(f"gdp: as of {moment:%Y-%m-%d %H:%M:%S} UTC; {counted}, too", err=True)
    return moment


def _definition(file: str) -> str:
    """The text of a file, or of standard input for ``-``."""
    from models.errors import UsageError
    from warehouse.yaml_file import read_text

    if file != "-":
        return read_text(Path(file))
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input: not UTF-8 at byte {error.start}") from None


def _defined(context: typer.Context) -> dict[str, SegmentDefinition]:
    return {one.segment_id: one for one in state_of(context).project().definitions().segments}


def _known(segment_id: str, defined: dict[str, SegmentDefinition]) -> str:
    from models.errors import UsageError, nearest

    if segment_id not in defined:
        raise UsageError(f"unknown segment {segment_id!r} ({nearest(segment_id, defined) or 'no segment is defined'})")
    return segment_id


def _moment(context: typer.Context, text: str | None, key: str = "as_of") -> datetime | None:
    return None if text is None else moment_of(text, state_of(context).project().settings.tz, key)
