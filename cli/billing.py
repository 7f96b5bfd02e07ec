"""The reports of what people pay: mrr, revenue, subscriptions, trials."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli.asking import (
    AsOf,
    From,
    How,
    IdentityAsOf,
    KnownAt,
    Output,
    OutputFormat,
    Question,
    ShowSql,
    ShowSteps,
    To,
    Zone,
    answer,
    asks,
    known_at_of,
    moment_of,
)
from cli.state import state_of

#: The options of gdp mrr that go with --versus.
_WITH_VERSUS = frozenset({"policy", "versus", "known_at", "format", "output"})
Width = Annotated[Literal["day", "week", "month"], typer.Option("--interval", help="Width of a row.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(mrr)
    app.command()(revenue)
    app.command()(subscriptions)
    app.command()(trials)


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
    interval: Width = "month",
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
        _compare_policies(context, policy, versus, known_at, How(format, output, sql=sql, steps=steps))
        return
    values = {"policy": policy, "by": by, "interval": interval, "reporting": reporting}
    times = {"start": start, "end": end, "as_of": as_of, "known_at": known_at, "identity_as_of": identity_as_of}
    question = Question(report, report.MrrSpec, values)
    answer(context, question, times, tz, How(format, output, sql=sql, steps=steps))


def _compare_policies(context: typer.Context, policy: str | None, versus: str, known_at: str | None, how: How) -> None:
    from analytics.mrr_versus import versus as compare
    from cli.output import emit_report
    from models.errors import UsageError

    given = [param for param in context.command.params if _is_given(context, param.name)]
    others = ", ".join(param.opts[0] for param in given if param.name not in _WITH_VERSUS)
    if others:
        raise UsageError(f"--versus compares customers at the build's now: leave out {others}")
    with state_of(context).warehouse(past=known_at_of(context, known_at)) as warehouse:
        emit_report(compare(warehouse, policy, versus), format=how.format, output=how.output)


def _is_given(context: typer.Context, name: str | None) -> bool:
    source = context.get_parameter_source(name or "")
    return source is not None and source.name == "COMMANDLINE"


@asks("start", "end", "as_of", "known_at", "identity_as_of")
def revenue(
    by: Annotated[
        Literal["currency", "plan", "product", "country", "cohort"],
        typer.Option("--by", help="What rows are told apart by; country and cohort are those of who paid, at now."),
    ] = "currency",
    interval: Width = "month",
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Only what was paid in this currency.")
    ] = None,
    reporting: Annotated[
        bool, typer.Option("--reporting", help="In the reporting currency, at the rates of definitions/fx.csv.")
    ] = False,
) -> Question:
    """What paid invoices brought, less refunds and lost disputes.

    The range selects money by the time at which it was paid or went back.
    """
    from analytics import revenue as report

    values = {"by": by, "interval": interval, "currency": currency, "reporting": reporting}
    return Question(report, report.RevenueSpec, values)


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


def trials(
    context: typer.Context,
    by: Annotated[
        Literal["plan", "product", "country", "cohort"] | None,
        typer.Option("--by", help="What rows are told apart by."),
    ] = None,
    interval: Width = "month",
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
