"""The questions: funnel, cohort, churn, overlap, recurring revenue, revenue. Each is a frozen spec, a query that can be
read, and a typed result.

The functions here carry the names of the product requirements:

    with open_warehouse(home) as warehouse:
        funnel = analyze_funnel(warehouse, stages=["signup_completed", "purchase_completed"], time_window="90d")
        funnel.conversion_rate
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.errors import UsageError

if TYPE_CHECKING:
    from analytics.churn import ChurnResult
    from analytics.cohort_result import CohortResult
    from analytics.funnel_result import FunnelResult
    from analytics.meta_matches import MatchesResult
    from analytics.mrr import MrrResult
    from analytics.overlap import OverlapResult
    from analytics.query import Engine
    from analytics.revenue import RevenueResult
    from analytics.segment_members import MembersResult
    from analytics.subscriptions import Status, SubscriptionsResult
    from analytics.trials import TrialsResult

__all__ = [
    "analyze_funnel",
    "get_churned_users",
    "get_cohort_analysis",
    "get_meta_matches",
    "get_mrr",
    "get_revenue",
    "get_segment_members",
    "get_segment_overlap",
    "get_subscriptions",
    "get_trials",
]


def analyze_funnel(
    warehouse: Engine,
    stages: Sequence[str],
    time_window: str = "30d",
    breakdown_by: str | None = None,
    **options: Any,
) -> FunnelResult:
    """How many people get through the stages in order within ``time_window`` of the first.

    Args:
        warehouse: an open warehouse.
        stages: event types in order; ``a|b`` takes either.
        time_window: such as ``90d``, ``24h``, ``2w``, ``3m``, ``1y``.
        breakdown_by: a person column, a utm column (``utm_source`` or ``utmSource``) or ``properties.NAME``.
        options: ``start``, ``end``, ``as_of`` (times with a zone) and ``tz``.

    Raises:
        UsageError: if the question cannot be asked so; the message says what would be accepted.
    """
    from analytics import funnel
    from analytics.spec import make_spec

    spec = make_spec(
        funnel.FunnelSpec, stages=_listed("stages", stages), window=time_window, by=breakdown_by, **options
    )
    return funnel.run(warehouse, spec)


def get_cohort_analysis(
    warehouse: Engine,
    group_by: str | None = None,
    interval: str = "week",
    metrics: Sequence[str] = ("retention_d7", "retention_d30"),
    **options: Any,
) -> CohortResult:
    """Which share of each cohort is active later on.

    Args:
        warehouse: an open warehouse.
        group_by: ``signup`` (or ``signupDate``; the default) or ``first_event``; not beside ``start_event``.
        interval: ``day``, ``week`` or ``month``.
        metrics: ``retention_dN``, ``ltv``, ``arr``.
        options: ``start_event``, ``return_event``, ``kind``, ``period``, ``periods``, ``start``, ``end``, ``as_of``
            and ``tz``.

    Raises:
        UsageError: if the question cannot be asked so.
    """
    from analytics import cohort
    from analytics.spec import make_spec

    spec = make_spec(cohort.CohortSpec, by=group_by, interval=interval, metrics=_listed("metrics", metrics), **options)
    return cohort.run(warehouse, spec)


def get_churned_users(
    warehouse: Engine, window: str = "30d", min_activity_before: str = "60d", **options: Any
) -> ChurnResult:
    """Who did a core action in the span before the window and none in it.

    Args:
        warehouse: an open warehouse.
        window: the span without activity, up to now.
        min_activity_before: the span before it.
        options: ``as_of``, ``tz``.

    Raises:
        UsageError: if the question cannot be asked so.
    """
    from analytics import churn
    from analytics.spec import make_spec

    spec = make_spec(churn.ChurnSpec, window=window, min_activity_before=min_activity_before, **options)
    return churn.run(warehouse, spec)


def get_mrr(warehouse: Engine, policy: str | None = None, **options: Any) -> MrrResult:
    """Recurring revenue: where it stood, what moved it, where it stands.

    Args:
        warehouse: an open warehouse.
        policy: a revenue policy; the project's default unless it is given.
        options: ``interval`` (day, week, month), ``by`` (currency, plan, product, country, cohort), ``reporting``
            (spot, constant: in the reporting currency), ``start``, ``end``, ``as_of``.

    Raises:
        UsageError: if the question cannot be asked so.
    """
    from analytics import mrr
    from analytics.spec import make_spec

    return mrr.run(warehouse, make_spec(mrr.MrrSpec, policy=policy, **options))


def get_revenue(warehouse: Engine, **options: Any) -> RevenueResult:
    """What paid invoices brought, less refunds and lost disputes.

    Args:
        warehouse: an open warehouse.
        options: ``interval`` (day, week, month), ``by`` (currency, plan, product, country, cohort), ``currency`` (only
            what was paid in it), ``reporting`` (in the reporting currency), ``start``, ``end``, ``as_of``, ``tz``.

    Raises:
        UsageError: if the question cannot be asked so.
        GdpError: if amounts are wanted in the reporting currency and a rate is missing.
    """
    from analytics import revenue
    from analytics.spec import make_spec

    return revenue.run(warehouse, make_spec(revenue.RevenueSpec, **options))


def get_subscriptions(
    warehouse: Engine, *, status: Status | None = None, plan: str | None = None, each: bool = False
) -> SubscriptionsResult:
    """How many subscriptions there are of each status, plan and currency at the build's now, and what they are worth.

    Args:
        warehouse: an open warehouse.
        status: only those that are ``active``, ``past_due``, ``paused``, ``cancelled``, ``refunded`` or ``unsettled``.
        plan: only those of a plan.
        each: whether they are listed one by one, too.
    """
    from analytics.subscriptions import subscriptions

    return subscriptions(warehouse, status=status, plan=plan, each=each)


def get_trials(warehouse: Engine, *, by: str | None = None, interval: str = "month", **options: Any) -> TrialsResult:
    """How many trials began in each interval, converted, left, or still run.

    Args:
        warehouse: an open warehouse.
        by: ``plan``, ``product``, ``country`` or ``cohort``.
        interval: ``day``, ``week`` or ``month``.
        options: ``start``, ``end`` (of the begin of trials) and ``tz``.

    Raises:
        UsageError: if the question cannot be asked so.
    """
    from analytics import trials
    from analytics.spec import make_spec

    return trials.trials(warehouse, make_spec(trials.TrialsSpec, by=by, interval=interval, **options))


def get_segment_overlap(warehouse: Engine, segments: Sequence[str], **options: Any) -> OverlapResult:
    """How many persons are in all of the segments, and how the segments overlap.

    Args:
        warehouse: an open warehouse.
        segments: two or more segment ids.
        options: ``as_of``.

    Raises:
        UsageError: if the question cannot be asked so.
    """
    from analytics import overlap
    from analytics.spec import make_spec

    return overlap.run(warehouse, make_spec(overlap.OverlapSpec, segments=_listed("segments", segments), **options))


def get_meta_matches(warehouse: Engine, **options: Any) -> MatchesResult:
    """How many events of Meta came from the pixel, from a server, and from both.

    Args:
        warehouse: an open warehouse.
        options: ``start``, ``end``, ``as_of``.

    Raises:
        UsageError: if the question cannot be asked so.
    """
    from analytics import meta_matches
    from analytics.spec import make_spec

    return meta_matches.run(warehouse, make_spec(meta_matches.MatchesSpec, **options))


def get_segment_members(warehouse: Engine, segment_id: str, *, as_of: datetime | None = None) -> MembersResult:
    """Everybody who is in a segment, at the build's now or any other moment.

    Raises:
        UsageError: for an unknown segment.
    """
    from analytics.segment_members import members

    return members(warehouse, segment_id, as_of=as_of)


def _listed(what: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names; a lone text is a mistake, because its letters would be taken for names."""
    if isinstance(names, str):
        raise UsageError(f"{what} is a list of names: write [{names!r}]")
    return tuple(names)
