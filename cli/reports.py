"""The reports of what people do: funnel, cohort, churn users, overlap, meta matches."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli.asking import Question, asks


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(funnel)
    app.command()(cohort)
    churn = typer.Typer(help="Who has stopped.", no_args_is_help=True)
    churn.command("users")(churn_users)
    app.add_typer(churn, name="churn")
    app.command()(overlap)
    meta = typer.Typer(help="What was sent to Meta.", no_args_is_help=True)
    meta.command("matches")(meta_matches)
    app.add_typer(meta, name="meta")


@asks("start", "end", "as_of", "identity_as_of")
def funnel(
    stages: Annotated[list[str], typer.Argument(metavar="STAGE...", help="Event types in order; a|b takes either.")],
    window: Annotated[
        str, typer.Option("--window", metavar="LENGTH", help="From the first stage to the last: 24h, 90d, 2w, 3m, 1y.")
    ] = "30d",
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME", help="Break down by a person column, a utm column or properties.NAME."),
    ] = None,
) -> Question:
    """How many people get through the stages in order, where they stop, and how long it takes them.

    The range selects the first event; the window runs past its end.
    """
    from analytics import funnel as report

    return Question(report, report.FunnelSpec, {"stages": tuple(stages), "window": window, "by": by})


@asks("start", "end", "as_of", "identity_as_of")
def cohort(
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
) -> Question:
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
    return Question(report, report.CohortSpec, values)


@asks("as_of", "identity_as_of")
def churn_users(
    window: Annotated[
        str, typer.Option("--window", metavar="LENGTH", help="Without a core action, up to now.")
    ] = "30d",
    min_activity_before: Annotated[
        str, typer.Option("--min-activity-before", metavar="LENGTH", help="With at least one, before the window.")
    ] = "60d",
) -> Question:
    """Who used the product before and has stopped (usage churn), and of how many."""
    from analytics import churn as report

    return Question(report, report.ChurnSpec, {"window": window, "min_activity_before": min_activity_before})


@asks("as_of", "identity_as_of")
def overlap(
    segments: Annotated[list[str], typer.Argument(metavar="SEGMENT...", help="Two or more segment ids.")],
) -> Question:
    """How many people are in all of the segments, in each pair, and in every combination."""
    from analytics import overlap as report

    return Question(report, report.OverlapSpec, {"segments": tuple(segments)})


@asks("start", "end", "as_of")
def meta_matches() -> Question:
    """How many events of Meta came from the pixel, from a server, and from both, by their names."""
    from analytics import meta_matches as report

    return Question(report, report.MatchesSpec, {})
