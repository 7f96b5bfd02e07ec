"""What the members of cohorts have brought to date (ltv), and what they are worth a year (arr), per member.

Both are in the reporting currency: money that was paid at the rate of its day, recurring revenue at the rate of now.
"""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Any, Literal

from analytics.cohort_sql import Shape, member_steps, values_of
from analytics.money import reporting_currency, rounded
from analytics.mrr import prepare_policy
from analytics.query import Engine, Query, Step
from models.base import Shape as Record
from models.errors import GdpError, UsageError

Measure = Literal["ltv", "arr"]
MEASURES: tuple[Measure, ...] = ("ltv", "arr")


class Amount(Record):
    """What the members of a cohort come to in the reporting currency, and each of them on average.

    ``payers`` have any of it; of ``unknown`` members some is not known, and not in it.
    """

    total: Decimal
    per_member: Decimal
    payers: int
    unknown: int


#: One row per person: what it comes to, and whether some is not known.
_WORTH: dict[Measure, str] = {
    "ltv": """select
    person_key,
    coalesce(sum(reporting_amount), 0) as amount,
    count(uncounted_because) > 0 as is_unknown,
    min(case when unreported_because is not null then currency end) as without_rate
from revenue
where is_revenue
    and livemode
    and person_key is not null
    and coalesce(occurred_at <= $as_of, true)
group by person_key""",
    "arr": """select
    held.person_key,
    coalesce(sum(held.arr * rate.rate), 0) as amount,
    bool_or(held.is_unknown) as is_unknown,
    min(case when held.arr <> 0 and rate.rate is null then held.currency end) as without_rate
from (
    select person_key, currency, cast(sum(arr) as decimal(24, 9)) as arr, false as is_unknown
    from mrr_movement
    where policy = $policy
        and livemode
        and day < cast($days_end as date)
    group by person_key, currency
    union all
    select person_key, null, 0, true
    from mrr_unknown
    where policy = $policy
        and livemode
) as held
left join fx_rate as rate
    on held.currency = rate.currency
    and cast($today as date) >= rate.valid_from
    and (rate.valid_to is null or cast($today as date) < rate.valid_to)
where held.person_key is not null
group by held.person_key""",
}


def money_query(shape: Shape, measure: Measure, policy: str) -> Query:
    """What each cohort comes to, as named SQL steps."""
    days_end = shape.as_of.date() + timedelta(days=shape.as_of.time() != time.min)
    total = """select
    member.cohort,
    count(*) as size,
    coalesce(sum(worth.amount), 0) as total,
    count(case when worth.amount <> 0 then 1 end) as payers,
    count(case when worth.is_unknown then 1 end) as unknown,
    min(worth.without_rate) as without_rate
from member
left join worth
    on member.person_key = worth.person_key
group by member.cohort"""
    steps = (*member_steps(shape), Step("worth", _WORTH[measure]), Step("total", total))
    more = {"policy": policy, "days_end": days_end.isoformat(), "today": shape.as_of.date().isoformat()}
    return Query(steps, {**values_of(shape), **more})


def amounts(engine: Engine, shape: Shape, measure: Measure) -> dict[int | None, Amount]:
    """What each cohort comes to, by its number; of all together under None.

    Raises:
        UsageError: if recurring revenue is asked for in the midst of a day that is over.
        GdpError: if a rate to the reporting currency is missing.
    """
    if measure == "arr" and shape.as_of != engine.as_of and shape.as_of.time() != time.min:
        raise UsageError(f"--as-of {shape.as_of.isoformat()}: recurring revenue is known at the ends of days (UTC)")
    rows = money_query(shape, measure, prepare_policy(engine, None)).run(engine)
    currency = reporting_currency(engine)
    if missing := sorted({row["without_rate"] for row in rows} - {None}):
        raise GdpError(
            f"{measure} is in {currency}, and there is no rate for all amounts in {', '.join(missing)}:"
            " add it to definitions/fx.csv and build again"
        )
    found: dict[int | None, Amount] = {row["cohort"]: _amount([row], currency) for row in rows}
    return {**found, None: _amount(rows, currency)}


def _amount(rows: list[dict[str, Any]], currency: str) -> Amount:
    total = sum((Decimal(row["total"]) for row in rows), Decimal(0))
    size = sum(row["size"] for row in rows)
    return Amount(
        total=rounded(total, currency),
        per_member=rounded(total / size if size else Decimal(0), currency),
        payers=sum(row["payers"] for row in rows),
        unknown=sum(row["unknown"] for row in rows),
    )
