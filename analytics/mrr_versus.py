"""What two revenue policies make of each customer, and which of their switches makes the difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from analytics.mrr import monthly, prepare_policy
from analytics.query import Engine
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape
from models.errors import UsageError

#: One row per item of a live subscription that the two count differently, with what holds of it at as_of.
_ITEMS = """with item as (
    select
        account, payer, currency, subscription_id, item_id,
        coalesce(sum(arr) filter (where policy = $policy), 0) as arr,
        coalesce(sum(arr) filter (where policy = $versus), 0) as other_arr
    from mrr_movement
    where livemode and policy in ($policy, $versus)
    group by account, payer, currency, subscription_id, item_id
),
customer as (
    select account, payer, currency, sum(arr) as customer_arr, sum(other_arr) as other_customer_arr
    from item
    group by account, payer, currency
    having sum(arr) <> sum(other_arr)
)
select
    customer.account, customer.payer, customer.currency, customer.customer_arr, customer.other_customer_arr,
    period.status, period.is_collection_paused,
    period.share_left_forever <> 1 or period.amount_off_forever <> 0 as has_forever,
    period.share_left_repeating <> 1 or period.amount_off_repeating <> 0 as has_repeating,
    period.share_left_once <> 1 or period.amount_off_once <> 0 as has_once
from customer
inner join item
    on customer.account = item.account and customer.payer = item.payer and customer.currency = item.currency
left join subscription_item_period as period
    on item.subscription_id = period.subscription_id
    and item.item_id = period.item_id
    and period.valid_from <= $as_of
    and (period.valid_to is null or period.valid_to > $as_of)
where item.arr <> item.other_arr
order by customer.account, customer.payer, customer.currency, item.item_id"""
_DURATIONS = ("forever", "repeating", "once")


class PolicyDifference(Shape):
    """A payer's MRR by both policies in a currency, and why they differ."""

    account: str
    payer: str
    currency: str
    mrr: Decimal
    versus_mrr: Decimal
    difference: Decimal
    because: tuple[str, ...]


class PolicyTotal(Shape):
    """What the customers of a currency, those that do not differ too, come to by both policies."""

    account: str
    currency: str
    mrr: Decimal
    versus_mrr: Decimal
    difference: Decimal


class VersusResult(Shape):
    """Both policies at the build's now: totals, and whom they disagree on, the largest difference first."""

    policy: str
    versus: str
    totals: tuple[PolicyTotal, ...]
    customers: tuple[PolicyDifference, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        has_account = any(total.account for total in self.totals)
        names = (*(["account"] if has_account else []), "currency")
        totals = Table(
            (*(Column(name) for name in names), *self._amounts()),
            tuple((*([one.account] if has_account else []), one.currency, *_figures(one)) for one in self.totals),
        )
        shown = self.records()
        return Sheet(
            f"MRR by {self.policy} and by {self.versus}",
            (f"As of {minute(self.as_of)} UTC; live mode. They disagree on {len(self.customers):,} customers.",),
            (
                *((totals,) if self.totals else ()),
                *((first_rows(shown.columns, shown.rows, title="Customers", what="customers"),) if shown.rows else ()),
            ),
        )

    def records(self) -> Table:
        """One row per customer and currency."""
        return Table(
            (Column("payer"), Column("currency"), *self._amounts(), Column("because")),
            tuple((one.payer, one.currency, *_figures(one), "; ".join(one.because)) for one in self.customers),
        )

    def _amounts(self) -> tuple[Column, ...]:
        return tuple(Column(name, "number") for name in (self.policy, self.versus, "difference"))


def versus(engine: Engine, policy: str | None, other: str) -> VersusResult:
    """Compare two policies at the build's now.

    Args:
        engine: an open warehouse.
        policy: a revenue policy; the project's default unless it is given.
        other: the one that it is compared with.

    Raises:
        UsageError: if there is no such policy, or both are the same.
    """
    policy, other = prepare_policy(engine, policy), prepare_policy(engine, other)
    if policy == other:
        raise UsageError(f"--versus {other}: that is the policy itself")
    switches = {
        name: (statuses.split(), durations.split())
        for name, statuses, durations in engine.rows("select policy, statuses, discount_durations from revenue_policy")
    }
    asked = {"policy": policy, "versus": other}
    items = engine.dicts(_ITEMS, {**asked, "as_of": engine.as_of})
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for item in items:
        found.setdefault((item["account"], item["payer"], item["currency"]), []).append(item)
    customers = [
        PolicyDifference(
            account=account,
            payer=payer,
            currency=currency,
            **_compared(currency, of_one[0]["customer_arr"], of_one[0]["other_customer_arr"]),
            because=_reasons(of_one, policy, other, switches),
        )
        for (account, payer, currency), of_one in found.items()
    ]
    customers.sort(key=lambda one: (-abs(one.difference), one.account, one.payer, one.currency))
    totals = engine.rows(
        "select account, currency, coalesce(sum(arr) filter (where policy = $policy), 0),"
        " coalesce(sum(arr) filter (where policy = $versus), 0)"
        " from mrr_movement where livemode and policy in ($policy, $versus)"
        " group by account, currency order by account, currency",
        asked,
    )
    return VersusResult(
        policy=policy,
        versus=other,
        totals=tuple(
            PolicyTotal(account=account, currency=currency, **_compared(currency, own, others))
            for account, currency, own, others in totals
        ),
        customers=tuple(customers),
        as_of=engine.as_of,
    )


def _compared(currency: str, arr: Decimal, other_arr: Decimal) -> dict[str, Decimal]:
    own, other = monthly(arr, currency), monthly(other_arr, currency)
    return {"mrr": own, "versus_mrr": other, "difference": other - own}


def _figures(one: PolicyDifference | PolicyTotal) -> tuple[float, ...]:
    return tuple(map(float, (one.mrr, one.versus_mrr, one.difference)))


def _reasons(
    items: Iterable[dict[str, Any]],
    policy: str,
    other: str,
    switches: Mapping[str, tuple[list[str], list[str]]],
) -> tuple[str, ...]:
    """The switches that tell the policies apart on some items, each once."""
    (statuses, durations), (other_statuses, other_durations) = switches[policy], switches[other]
    found: dict[str, None] = {}

    def note(what: str, does: str, *, is_own: bool) -> None:
        found[f"{what} {does} by {policy if is_own else other} only"] = None

    for item in items:
        status = item["status"]
        if (status in statuses) != (status in other_statuses):
            note(f"status {status}", "counts", is_own=status in statuses)
        elif item["is_collection_paused"] and ("paused" in statuses) != ("paused" in other_statuses):
            note("a paused collection", "counts", is_own="paused" in statuses)
        for duration in _DURATIONS:
            is_own = duration in durations
            if item[f"has_{duration}"] and is_own != (duration in other_durations):
                note(f"a discount {duration}", "is taken off", is_own=is_own)
    return tuple(found)
