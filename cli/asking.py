"""How every report is asked for: its options, its times, and what is printed of the answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import typer

from cli.state import state_of

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from analytics.query import Engine, Query
    from cli.output import Report
    from warehouse.generations import PastKind

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="TIME", help="The report's now; else the build's.")]
IdentityAsOf = Annotated[
    str | None,
    typer.Option(
        "--identity-as-of",
        metavar="TIME",
        help="Who was who by what was known then. Makes the tables anew: about as long as a full build, once.",
    ),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at",
        metavar="TIME",
        help="What was known then: of what had been received by then, as of then. Makes the tables anew, once.",
    ),
]
Zone = Annotated[
    str | None, typer.Option("--tz", metavar="ZONE", help="IANA zone of days, weeks and months; else the project's.")
]
From = Annotated[str | None, typer.Option("--from", metavar="TIME", help="First moment of the range (inclusive).")]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="End of the range (exclusive).")]
OutputFormat = Annotated[Literal["table", "json", "csv", "parquet"], typer.Option("--format", help="How to print it.")]
ScreenFormat = Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file; - is standard output.")
]
ShowSql = Annotated[bool, typer.Option("--sql", help="Print the SQL with its values instead of running it.")]
ShowSteps = Annotated[bool, typer.Option("--steps", help="Print how many rows each step of the SQL has.")]


_MOMENTS: dict[str, Any] = {
    "start": From,
    "end": To,
    "as_of": AsOf,
    "known_at": KnownAt,
    "identity_as_of": IdentityAsOf,
}
_PRINTING: dict[str, tuple[Any, Any]] = {
    "format": (OutputFormat, "table"),
    "output": (Output, None),
    "sql": (ShowSql, False),
    "steps": (ShowSteps, False),
}


@dataclass(frozen=True)
class How:
    """What to print of a report, and how."""

    format: Literal["table", "json", "csv", "parquet"]
    output: Path | None
    sql: bool
    steps: bool


class _ReportModule(Protocol):
    """What every module of a report offers."""

    def prepare(self, engine: Engine, spec: Any) -> Any:
        """The spec with its now, names checked."""

    def query(self, spec: Any) -> Query:
        """The SQL."""

    def run(self, engine: Engine, spec: Any) -> Report:
        """The answer."""


@dataclass(frozen=True)
class Question:
    """What a report is asked, but for its times and its zone: the spec's own values, by name."""

    report: _ReportModule
    shape: type[Any]
    values: dict[str, Any]


def asks(*moments: str) -> Callable[[Callable[..., Question]], Callable[..., None]]:
    """Make a command of a function that says what is asked: behind its own options come those of every report.

    Args:
        moments: which times the report takes: ``start``, ``end``, ``as_of``, ``known_at``, ``identity_as_of``.
    """
    shared = {**{name: (_MOMENTS[name], None) for name in moments}, "tz": (Zone, None), **_PRINTING}

    def command_of(ask: Callable[..., Question]) -> Callable[..., None]:
        def command(context: typer.Context, **given: Any) -> None:
            how = How(**{name: given.pop(name) for name in _PRINTING})
            tz, times = given.pop("tz"), {name: given.pop(name) for name in moments}
            answer(context, ask(**given), times, tz, how)

        parameters = [
            Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context),
            *(
                own.replace(kind=Parameter.KEYWORD_ONLY)
                for own in inspect.signature(ask, eval_str=True).parameters.values()
            ),
            *(
                Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=option)
                for name, (option, default) in shared.items()
            ),
        ]
        command.__name__, command.__doc__ = ask.__name__, ask.__doc__
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return command_of


def answer(context: typer.Context, question: Question, times: dict[str, str | None], tz: str | None, how: How) -> None:
    """Ask a report's question of the published warehouse and print what is wanted of it."""
    from analytics.as_known import AsKnown
    from analytics.spec import make_spec
    from cli.output import NEEDS_A_FILE, emit_report, emit_text
    from models.errors import UsageError

    state = state_of(context)
    if how.sql and how.steps:
        raise UsageError("give --sql or --steps, not both")
    if how.sql and how.format != "table":
        raise UsageError(f"give --sql or --format {how.format}, not both: SQL is text")
    if how.format == "parquet" and how.output is None:
        raise UsageError(NEEDS_A_FILE)
    name = tz or state.project().settings.tz
    _calendar(name)
    moments = {key: moment_of(text, name, key) for key, text in times.items() if text is not None}
    past = _past(moments, how)
    report = question.report
    spec = make_spec(question.shape, **question.values, **moments, tz=name)
    with state.warehouse(past=past) as warehouse:
        if how.sql:
            emit_text(report.query(report.prepare(warehouse, spec)).text() + "\n", how.output)
        elif how.steps:
            counts = report.query(report.prepare(warehouse, spec)).count_steps(warehouse)
            emit_report(counts, format=how.format, output=how.output)
        else:
            found = report.run(warehouse, spec)
            shown = AsKnown(found, *past) if past else found
            emit_report(shown, format=how.format, output=how.output)


def _past(moments: dict[str, datetime], how: How) -> tuple[PastKind, datetime] | None:
    """What of the past is asked for; taken out of the times."""
    from models.errors import UsageError

    kinds: dict[str, PastKind] = {"identity_as_of": "identity-as-of", "known_at": "known-at"}
    asked = [(kind, moments.pop(key)) for key, kind in kinds.items() if key in moments]
    if len(asked) > 1:
        raise UsageError("give --known-at or --identity-as-of, not both: who was who is part of what was known")
    if asked and how.sql:
        raise UsageError(f"--sql is for the published tables: leave out --{asked[0][0]}")
    return asked[0] if asked else None


def known_at_of(context: typer.Context, text: str | None) -> tuple[PastKind, datetime] | None:
    """What of the past ``--known-at`` asks for."""
    if text is None:
        return None
    return "known-at", moment_of(text, state_of(context).project().settings.tz, "known_at")


def moment_of(text: str, zone_name: str, key: str) -> datetime:
    """The time that an option says.

    Args:
        text: what was given.
        zone_name: the zone of bare dates.
        key: the name of the option's value.

    Raises:
        UsageError: if it is no time, or there is no such zone.
    """
    from models.moments import parse_moment

    calendar = _calendar(zone_name)
    option = {"start": "--from", "end": "--to"}.get(key) or f"--{key.replace('_', '-')}"
    return parse_moment(text, zone=calendar, what=option)


def _calendar(zone_name: str) -> ZoneInfo:
    from models.errors import UsageError
    from warehouse.settings import zone

    try:
        return zone(zone_name)
    except ValueError as error:
        raise UsageError(f"--tz: {error}") from None
