"""The live subscriptions of a build: how many there are of each status and plan, and what they are worth."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from analytics.query import Engine
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape

Status = Literal["active", "past_due", "paused", "cancelled", "refunded", "unsettled"]

#: One row per subscription of live mode; ``unsettled`` are those that have none of the other statuses (yet).
_EACH = """
select
    stripe_subscription_id, account, cast(person_id as varchar) as person_id,
    coalesce(status, 'unsettled') as status, plan_name, currency, quantity, mrr, mrr_unknown_because,
    start_date, renewal_date, cancelled_at
from subscription
where
    livemode
    and ($status is null or coalesce(status, 'unsettled') = $status)
    and ($plan is null or plan_name = $plan)
order by start_date desc, stripe_subscription_id"""
_GROUPS = f"""
select
    account, status, plan_name, currency, count(*) as subscriptions,
    count(mrr_unknown_because) as unknown, coalesce(sum(mrr), 0) as mrr
from ({_EACH})
group by account, status, plan_name, currency
order by
    account,
    case status when 'active' then 1 when 'past_due' then 2 when 'paused' then 3 when 'unsettled' then 4 else 5 end,
    subscriptions desc, plan_name, currency"""


class SubscriptionGroup(Shape):
    """Subscriptions of one status, plan and currency; ``unknown`` of them are in no ``mrr``, for nobody knows it."""

    account: str
    status: Status
    plan: str | None
    currency: str | None
    subscriptions: int
    unknown: int
    mrr: Decimal


class OneSubscription(Shape):
    """One subscription; ``mrr`` is null where ``mrr_unknown_because`` says why."""

    stripe_subscription_id: str
    account: str
    person_id: str | None
    status: Status
    plan: str | None
    currency: str | None
    quantity: int | None
    mrr: Decimal | None
    mrr_unknown_because: str | None
    start_date: Moment | None
    renewal_date: Moment | None
    cancelled_at: Moment | None


class SubscriptionsResult(Shape):
    """All of them in groups, and one by one where that was asked for (null otherwise), the latest start first."""

    count: int
    groups: tuple[SubscriptionGroup, ...]
    subscriptions: tuple[OneSubscription, ...] | None
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        shown = self.records()
        return Sheet(
            "Subscriptions",
            (f"{self.count:,} as of {minute(self.as_of)} UTC; live mode, MRR by the default policy.",),
            (first_rows(shown.columns, shown.rows, most=50, what="rows"),) if shown.rows else (),
        )

    def records(self) -> Table:
        """One row per group, or per subscription."""
        return _groups_table(self.groups) if self.subscriptions is None else _each_table(self.subscriptions)


def subscriptions(
    engine: Engine, *, status: Status | None = None, plan: str | None = None, each: bool = False
) -> SubscriptionsResult:
    """Count the subscriptions of the build's now.

    Args:
        engine: an open warehouse.
        status: only those of a status.
        plan: only those of a plan, by its name.
        each: whether they are listed one by one.
    """
    asked = {"status": status, "plan": plan}
    groups = [SubscriptionGroup(**_named(row)) for row in engine.dicts(_GROUPS, asked)]
    listed = tuple(OneSubscription(**_named(row)) for row in engine.dicts(_EACH, asked)) if each else None
    return SubscriptionsResult(
        count=sum(group.subscriptions for group in groups),
        groups=tuple(groups),
        subscriptions=listed,
        as_of=engine.as_of,
    )


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {"plan" if name == "plan_name" else name: value for name, value in row.items()}


def _groups_table(groups: tuple[SubscriptionGroup, ...]) -> Table:
    has_account = any(group.account for group in groups)
    columns = (
        *([Column("account")] if has_account else []),
        *(Column("status"), Column("plan"), Column("currency")),
        *(Column("subscriptions", "count"), Column("unknown", "count"), Column("mrr", "number")),
    )
    rows = tuple(
        (
            *([group.account] if has_account else []),
            *(group.status, group.plan, group.currency, group.subscriptions, group.unknown, float(group.mrr)),
        )
        for group in groups
    )
    return Table(columns, rows)


def _each_table(listed: tuple[OneSubscription, ...]) -> Table:
    columns = (
        *(Column("subscription"), Column("status"), Column("plan"), Column("quantity", "count"), Column("currency")),
        *(Column("mrr", "number"), Column("started", "date"), Column("renews", "date"), Column("ended", "date")),
        Column("person"),
    )
    rows = tuple(
        (
            *(one.stripe_subscription_id, one.status, one.plan, one.quantity, one.currency),
            None if one.mrr is None else float(one.mrr),
            *(moment and moment.date() for moment in (one.start_date, one.renewal_date, one.cancelled_at)),
            one.person_id,
        )
        for one in listed
    )
    return Table(columns, rows)
