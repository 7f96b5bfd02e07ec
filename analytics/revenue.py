"""Revenue: what invoices brought, what went back of it, and what is left, interval by interval."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import field_validator

from analytics.interval import Interval, first_day, interval_number
from analytics.money import reporting_currency, rounded
from analytics.query import Engine, Query, Step, Value
from analytics.spec import ReportSpec, at_build
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape
from models.currency import CURRENCY_DIGITS
from models.errors import GdpError, UsageError, nearest

By = Literal["currency", "plan", "product", "country", "cohort"]
#: Kinds of money lines that are revenue, and what a report calls their sums.
KINDS = {"payment": "payments", "refund": "refunds", "dispute_lost": "disputes"}
_PARTS = {"currency": "cast(null as varchar)", "plan": "line.plan_name", "product": "line.product_id"}
#: What is known of who pays; the others are known of what is paid for.
_OF_PERSONS = ("country", "cohort")
_AMOUNTS = (*KINDS.values(), "revenue")


class RevenueSpec(ReportSpec):
    """How wide a row is, what rows are told apart by, and of which currency, or in which.

    The range (``start``, ``end``) selects money lines by their time.
    """

    interval: Interval = "month"
    by: By = "currency"
    currency: str | None = None
    reporting: bool = False

    @field_validator("currency")
    @classmethod
    def _is_a_currency(cls, currency: str | None) -> str | None:
        if currency is not None and currency.lower() not in CURRENCY_DIGITS:
            raise ValueError(f"{currency!r} is no currency of ISO 4217 ({nearest(currency.lower(), CURRENCY_DIGITS)})")
        return currency and currency.lower()


class RevenueRow(Shape):
    """One interval: payments + refunds + disputes = revenue, each rounded once, to the digits of the currency."""

    interval_start: date
    account: str
    currency: str
    part: str | None
    payments: Decimal
    refunds: Decimal
    disputes: Decimal
    revenue: Decimal


class Uncounted(Shape):
    """How many money lines are in no row, for one reason."""

    reason: str
    lines: int


class RevenueResult(Shape):
    """Rows in the order of time; what is in none of them."""

    rows: tuple[RevenueRow, ...]
    uncounted: tuple[Uncounted, ...]
    interval: Interval
    by: By
    reporting_currency: str | None
    as_of: Moment
    tz: str

    def table(self) -> Sheet:
        """One screen."""
        shown = self.records()
        where = f"in {self.reporting_currency}, at the rates of the days" if self.reporting_currency else "as paid"
        return Sheet(
            "Revenue",
            (
                f"By {self.interval} ({self.tz}) up to {minute(self.as_of)} UTC, {where}; live mode.",
                *self._missing(),
            ),
            (first_rows(shown.columns, shown.rows, what="rows"),) if self.rows else (),
        )

    def _missing(self) -> tuple[str, ...]:
        if not self.uncounted:
            return ()
        reasons = ", ".join(f"{one.reason}: {one.lines}" for one in self.uncounted)
        return (f"Money not in it, as it cannot be counted (revenue.uncounted_because): {reasons}.",)

    def records(self) -> Table:
        """One row per interval, currency and part."""
        has_account = any(row.account for row in self.rows)
        names = ["interval_start", *(["account"] if has_account else []), "currency"]
        names += [] if self.by == "currency" else ["part"]
        shown = {"interval_start": self.interval, "part": self.by}
        return Table(
            (
                *(Column(shown.get(name, name), "date" if name == "interval_start" else "text") for name in names),
                *(Column(name, "number") for name in _AMOUNTS),
            ),
            tuple(
                (
                    *(getattr(row, name) for name in names),
                    *(float(getattr(row, name)) for name in _AMOUNTS),
                )
                for row in self.rows
            ),
        )


def query(spec: RevenueSpec) -> Query:
    """What came in and went out in each interval, by currency and part."""
    amount, currency = ("reporting_amount", "reporting_currency") if spec.reporting else ("amount", "currency")
    sums = ",\n    ".join(
        f"coalesce(sum(amount) filter (where kind = '{kind}'), 0) as {name}" for kind, name in KINDS.items()
    )
    of_person = spec.by in _OF_PERSONS
    line = Step(
        "line",
        f"select\n    line.account,\n    line.{currency} as currency,\n"
        f"    {'payer.part' if of_person else _PARTS[spec.by]} as part,\n    line.kind,\n"
        f"    {interval_number('line.occurred_at', spec.interval, spec.tz)} as number,\n    line.{amount} as amount\n"
        "from revenue as line\n"
        + ("left join payer\n    on line.person_key = payer.person_key\n" if of_person else "")
        + f"where {_counted(spec)}\n    and line.uncounted_because is null",
    )
    total = Step(
        "total",
        f"select\n    number,\n    account,\n    currency,\n    part,\n    {sums},\n    sum(amount) as revenue\n"
        "from line\ngroup by number, account, currency, part",
    )
    return Query((*((_PAYER,) if of_person else ()), line, total), _values(spec))


_PAYER = Step(
    "payer",
    "select\n    person_key,\n    value as part\nfrom person_property\nwhere property = $property\n"
    "    and valid_from <= $as_of\n    and (valid_to is null or valid_to > $as_of)",
)


def _counted(spec: RevenueSpec) -> str:
    """Which lines are asked for, whether they can be counted or not."""
    where = ["line.is_revenue", "line.livemode", "coalesce(line.occurred_at <= $as_of, true)"]
    where += ["line.occurred_at >= $start_at"] if spec.start else []
    where += ["line.occurred_at < $end_at"] if spec.end else []
    where += ["line.currency = $currency"] if spec.currency else []
    return "\n    and ".join(where)


def _values(spec: RevenueSpec) -> dict[str, Value]:
    values: dict[str, Value] = {"as_of": spec.now, "tz": spec.tz, "property": spec.by}
    values |= {"start_at": spec.start} if spec.start else {}
    values |= {"end_at": spec.end} if spec.end else {}
    return values | ({"currency": spec.currency} if spec.currency else {})


def prepare(engine: Engine, spec: RevenueSpec) -> RevenueSpec:
    """Fill in the build's now.

    Raises:
        UsageError: if nothing was ever paid in the currency.
        GdpError: if amounts are wanted in the reporting currency and a rate is missing.
    """
    spec = at_build(spec, engine)
    if spec.currency:
        known = {name for (name,) in engine.rows("select distinct currency from revenue where is_revenue")} - {None}
        if spec.currency not in known:
            hint = nearest(spec.currency, known) or "nor in any other currency"
            raise UsageError(f"nothing was paid in {spec.currency} ({hint})")
    if spec.reporting:
        _require_rates(engine, spec)
    return spec


def _require_rates(engine: Engine, spec: RevenueSpec) -> None:
    step = Query((Step("line", f"select line.* from revenue as line\nwhere {_counted(spec)}"),), _values(spec))
    missing = engine.rows(
        f"select currency, min(day), count(*) from ({step.sql()}) as asked"
        " where unreported_because is not null group by currency order by currency",
        step.params(),
    )
    if missing:
        currency, day, _ = missing[0]
        others = f", nor for {', '.join(name for name, *_ in missing[1:])}" if missing[1:] else ""
        raise GdpError(
            f"no rate from {currency} to {reporting_currency(engine)} on {day}{others}:"
            " add it to definitions/fx.csv and build again, or ask for one --currency without --reporting"
        )


def run(engine: Engine, spec: RevenueSpec) -> RevenueResult:
    """What was paid, what went back and what is left, interval by interval."""
    spec = prepare(engine, spec)
    rows = [
        RevenueRow(
            interval_start=first_day(row["number"], spec.interval),
            account=row["account"],
            currency=row["currency"],
            part=row["part"],
            **{name: rounded(Decimal(row[name]), row["currency"]) for name in _AMOUNTS},
        )
        for row in query(spec).run(engine)
    ]
    rows.sort(key=lambda row: (row.interval_start, row.account, row.currency, row.part is None, row.part or ""))
    return RevenueResult(
        rows=tuple(rows),
        uncounted=_uncounted(engine, spec),
        interval=spec.interval,
        by=spec.by,
        reporting_currency=reporting_currency(engine) if spec.reporting else None,
        as_of=spec.now,
        tz=spec.tz,
    )


def _uncounted(engine: Engine, spec: RevenueSpec) -> tuple[Uncounted, ...]:
    step = Query((Step("line", f"select line.* from revenue as line\nwhere {_counted(spec)}"),), _values(spec))
    found = engine.rows(
        f"select uncounted_because, count(*) from ({step.sql()}) as asked where uncounted_because is not null"
        " group by uncounted_because order by 2 desc, 1",
        step.params(),
    )
    return tuple(Uncounted(reason=reason, lines=lines) for reason, lines in found)
