"""The reports: funnel, cohort, churn users, overlap, mrr, meta matches."""

from __future__ import annotations

from dataclasses import dataclass
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
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file; - is standard output.")
]
ShowSql = Annotated[bool, typer.Option("--sql", help="Print the SQL with its values instead of running it.")]
ShowSteps = Annotated[bool, typer.Option("--steps", help="Print how many rows each step of the SQL has.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(funnel)
    app.command()(cohort)
    churn = typer.Typer(help="Who has stopped.", no_args_is_help=True)
    churn.command("users")(churn_users)
    app.add_typer(churn, name="churn")
    app.command()(overlap)
    app.command()(mrr)
    app.command()(revenue)
    app.command()(subscriptions)
    meta = typer.Typer(help="What was sent to Meta.", no_args_is_help=True)
    meta.command("matches")(meta_matches)
    app.add_typer(meta, name="meta")


def funnel(
    context: typer.Context,
    stages: Annotated[list[str], typer.Argument(metavar="STAGE...", help="Event types in order; a|b takes either.")],
    window: Annotated[
        str, typer.Option("--window", metavar="LENGTH", help="From the first stage to the last: 24h, 90d, 2w, 3m, 1y.")
    ] = "30d",
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME", help="Break down by a person column, a utm column or properties.NAME."),
    ] = None,
    start: From = None,
    end: To = None,
    as_of: AsOf = None,
    identity_as_of: IdentityAsOf = None,
    tz: Zone = None,
    format: OutputFormat = "table",
    output: Output = None,
    sql: ShowSql = False,
    steps: ShowSteps = False,
) -> None:
    """How many people get through the stages in order, where they stop, and how long it takes them.

    The range selects the first event; the window runs past its end.
    """
    from analytics import funnel as report

    values = {"stages": tuple(stages), "window": window, "by": by}
    times = {"start": start, "end": end, "as_of": as_of, "identity_as_of": identity_as_of}
    answer(context, report, report.FunnelSpec, values, times, tz, How(format, output, sql=sql, steps=steps))


def cohort(
    context: typer.Context,
    by: Annotated[
        Literal["signup", "first_event"] | None, typer.Option("--by", help="When a person begins; signup unless said.")
    ] = None,
    interval: Annotated[
        Literal["day", "week", "month"], typer.Option("--interval", help="Width of a cohort.")
    ] = "week",
    metrics: Annotated[
        str,
        typer.Option(
            "--metrics", metavar="NAMES", help="retention_dN, ltv, arr, separated by commas.", show_default="d7 and d30"
        ),
    ] = "retention_d7,retention_d30",
    kind: Annotated[
        Literal["on", "on_or_after", "on_or_before"],
        typer.Option("--kind", help="Active in the period, or also beyond."),
    ] = "on",
    period: Annotated[
        Literal["calendar", "rolling"],
        typer.Option("--period", help="Calendar periods, or 24 h times N from the start."),
    ] = "calendar",
    start_event: Annotated[
        str | None, typer.Option("--start-event", metavar="EVENT", help="Begin with the first of these (a|b) instead.")
    ] = None,
    return_event: Annotated[
        str | None, typer.Option("--return-event", metavar="EVENT", help="What counts as coming back; else any action.")
    ] = None,
    periods: Annotated[
        int | None, typer.Option("--periods", metavar="N", help="Last period shown; else day 30, week 12, month 12.")
    ] = None,
    start: From = None,
    end: To = None,
    as_of: AsOf = None,
    identity_as_of: IdentityAsOf = None,
    tz: Zone = None,
    format: OutputFormat = "table",
    output: Output = None,
    sql: ShowSql = False,
    steps: ShowSteps = False,
) -> None:
    """Which share of each cohort is active later on; a rate appears once every member has lived its period.

    The range selects the members by their start.
    """
    from analytics import cohort as report

    values = {
        "by": by,
        "interval": interval,
        "metrics": tuple(name.strip() for name in metrics.split(",") if name.strip()),
        "kind": kind,
        "period": period,
        "start_event": start_event,
        "return_event": return_event,
        "periods": periods,
    }
    times = {"start": start, "end": end, "as_of": as_of, "identity_as_of": identity_as_of}
    answer(context, report, report.CohortSpec, values, times, tz, How(format, output, sql=sql, steps=steps))


def churn_users(
    context: typer.Context,
    window: Annotated[
        str, typer.Option("--window", metavar="LENGTH", help="Without a core action, up to now.")
    ] = "30d",
    min_activity_before: Annotated[
        str, typer.Option("--min-activity-before", metavar="LENGTH", help="With at least one, before the window.")
    ] = "60d",
    as_of: AsOf = None,
    identity_as_of: IdentityAsOf = None,
    tz: Zone = None,
    format: OutputFormat = "table",
    output: Output = None,
    sql: ShowSql = False,
    steps: ShowSteps = False,
) -> None:
    """Who used the product before and has stopped (usage churn), and of how many."""
    from analytics import churn as report

    values = {"window": window, "min_activity_before": min_activity_before}
    how = How(format, output, sql=sql, steps=steps)
    answer(context, report, report.ChurnSpec, values, {"as_of": as_of, "identity_as_of": identity_as_of}, tz, how)


def overlap(
    context: typer.Context,
    segments: Annotated[list[str], typer.Argument(metavar="SEGMENT...", help="Two or more segment ids.")],
    as_of: AsOf = None,
    identity_as_of: IdentityAsOf = None,
    tz: Zone = None,
    format: OutputFormat = "table",
    output: Output = None,
    sql: ShowSql = False,
    steps: ShowSteps = False,
) -> None:
    """How many people are in all of the segments, in each pair, and in every combination."""
    from analytics import overlap as report

    values, times = {"segments": tuple(segments)}, {"as_of": as_of, "identity_as_of": identity_as_of}
    answer(context, report, report.OverlapSpec, values, times, tz, How(format, output, sql=sql, steps=steps))


def mrr(
    context: typer.Context,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="NAME", help="Revenue policy; the project's default unless said.")
    ] = None,
    versus: Annotated[
        str | None, typer.Option("--versus", metavar="NAME", help="Another policy: who differs now, and why.")
    ] = None,
    by: Annotated[
        Literal["currency", "plan", "product", "country", "cohort"] | None,
        typer.Option("--by", help="What rows are told apart by; country and cohort are those of who pays, at now."),
    ] = None,
    reporting: Annotated[
        Literal["spot", "constant"] | None,
        typer.Option("--reporting", help="In the reporting currency: at each day's rate (spot), or all at now's."),
    ] = None,
    interval: Annotated[Literal["day", "week", "month"], typer.Option("--interval", help="Width of a row.")] = "month",
    start: From = None,
    end: To = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    identity_as_of: IdentityAsOf = None,
    tz: Zone = None,
    format: OutputFormat = "table",
    output: Output = None,
    sql: ShowSql = False,
    steps: ShowSteps = False,
) -> None:
    """Monthly recurring revenue: where it stood, what moved it (new, expansion, churn, ...), where it stands."""
    from analytics import mrr as report

    if versus:
        moment = start or end or as_of or identity_as_of or reporting
        _compare_policies(context, policy, versus, known_at, How(format, output, sql=sql, steps=steps), moment)
        return
    values = {"policy": policy, "by": by, "interval": interval, "reporting": reporting}
    times = {"start": start, "end": end, "as_of": as_of, "known_at": known_at, "identity_as_of": identity_as_of}
    answer(context, report, report.MrrSpec, values, times, tz, How(format, output, sql=sql, steps=steps))


def _compare_policies(
    context: typer.Context, policy: str | None, versus: str, known_at: str | None, how: How, moment: str | None
) -> None:
    from analytics.mrr_versus import versus as compare
    from cli.output import emit_report
    from models.errors import UsageError

    if moment or how.sql or how.steps:
        raise UsageError(
            "--versus compares at the build's now: leave out --from, --to, --as-of, --identity-as-of,"
            " --reporting, --sql and --steps"
        )
    with state_of(context).warehouse(past=known_at_of(context, known_at)) as warehouse:
        emit_report(compare(warehouse, policy, versus), format=how.format, output=how.output)


def revenue(
    context: typer.Context,
    by: Annotated[
        Literal["currency", "plan", "product", "country", "cohort"],
        typer.Option("--by", help="What rows are told apart by; country and cohort are those of who paid, at now."),
    ] = "currency",
    interval: Annotated[Literal["day", "week", "month"], typer.Option("--interval", help="Width of a row.")] = "month",
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Only what was paid in this currency.")
    ] = None,
    reporting: Annotated[
        bool, typer.Option("--reporting", help="In the reporting currency, at the rates of definitions/fx.csv.")
    ] = False,
    start: From = None,
    end: To = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    identity_as_of: IdentityAsOf = None,
    tz: Zone = None,
    format: OutputFormat = "table",
    output: Output = None,
    sql: ShowSql = False,
    steps: ShowSteps = False,
) -> None:
    """What paid invoices brought, less refunds and lost disputes.

    The range selects money by the time at which it was paid or went back.
    """
    from analytics import revenue as report

    values = {"by": by, "interval": interval, "currency": currency, "reporting": reporting}
    times = {"start": start, "end": end, "as_of": as_of, "known_at": known_at, "identity_as_of": identity_as_of}
    answer(context, report, report.RevenueSpec, values, times, tz, How(format, output, sql=sql, steps=steps))


def subscriptions(
    context: typer.Context,
    status: Annotated[
        Literal["active", "past_due", "paused", "cancelled", "refunded", "unsettled"] | None,
        typer.Option("--status", help="Only these; unsettled: waiting for a first payment, or of no known status."),
    ] = None,
    plan: Annotated[str | None, typer.Option("--plan", metavar="NAME", help="Only those of a plan.")] = None,
    each: Annotated[bool, typer.Option("--each", help="One by one, the latest start first.")] = False,
    known_at: KnownAt = None,
    format: OutputFormat = "table",
    output: Output = None,
) -> None:
    """How many subscriptions there are of each status and plan, and what they are worth a month."""
    from analytics import get_subscriptions
    from cli.output import emit_report

    with state_of(context).warehouse(past=known_at_of(context, known_at)) as warehouse:
        found = get_subscriptions(warehouse, status=status, plan=plan, each=each)
        emit_report(found, format=format, output=output)


def meta_matches(
    context: typer.Context,
    start: From = None,
    end: To = None,
    as_of: AsOf = None,
    tz: Zone = None,
    format: OutputFormat = "table",
    output: Output = None,
    sql: ShowSql = False,
    steps: ShowSteps = False,
) -> None:
    """How many events of Meta came from the pixel, from a server, and from both, by their names."""
    from analytics import meta_matches as report

    times = {"start": start, "end": end, "as_of": as_of}
    answer(context, report, report.MatchesSpec, {}, times, tz, How(format, output, sql=sql, steps=steps))


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


def answer(
    context: typer.Context,
    report: _ReportModule,
    shape: type[Any],
    values: dict[str, Any],
    times: dict[str, str | None],
    tz: str | None,
    how: How,
) -> None:
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
    spec = make_spec(shape, **values, **moments, tz=name)
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
