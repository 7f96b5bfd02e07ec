"""Recurring revenue: where it stood, what moved it, where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal, localcontext
from typing import Any, Literal

from pydantic import field_validator

from analytics.interval import Interval, first_day, number_of
from analytics.money import rounded
from analytics.mrr_reporting import Key, Rates, Reporting, reported
from analytics.query import Engine, Query, Step, Value
from analytics.spec import ReportSpec, at_build
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape
from models.errors import UsageError, nearest
from warehouse.sql import quote_literal

Movement = Literal["new", "reactivation", "expansion", "contraction", "churn"]
MOVEMENTS: tuple[Movement, ...] = ("new", "reactivation", "expansion", "contraction", "churn")
By = Literal["currency", "plan", "product", "country", "cohort"]
_REPORTED: dict[Reporting, str] = {
    "spot": "In the reporting currency, at the rate of each day; fx is what rates moved.",
    "constant": "In the reporting currency, all at the rate of the last day.",
}
_PARTS = {"currency": "cast(null as varchar)", "plan": "plan_name", "product": "product_id"}
#: What is known of who pays; the others are known of what is paid for.
_OF_PERSONS = ("country", "cohort")


class MrrSpec(ReportSpec):
    """Which policy (None: the project's default), how wide a row is, what rows are told apart by, in which currency.

    ``reporting`` None leaves each currency by itself; ``by`` None then means by currency, else all in one.
    """

    policy: str | None = None
    interval: Interval = "month"
    by: By | None = None
    reporting: Reporting | None = None

    @field_validator("tz")
    @classmethod
    def _is_utc(cls, name: str) -> str:
        if name != "UTC":
            raise ValueError(f"recurring revenue is kept by days of UTC, not of {name}: give --tz UTC")
        return name

    @field_validator("start", "end")
    @classmethod
    def _is_a_day(cls, moment: datetime | None) -> datetime | None:
        if moment and moment.time() != time.min:
            raise ValueError(f"recurring revenue is known at the ends of days (UTC): {moment.isoformat()} is in a day")
        return moment

    @property
    def days_end(self) -> date:
        """The day behind the last that counts."""
        now = self.now.date() + timedelta(days=self.now.time() != time.min)
        return min(now, self.end.date()) if self.end else now


class MrrRow(Shape):
    """One interval: start + movements + fx = end, each rounded once, to the digits of the currency.

    ``fx`` is what rates moved, in the reporting currency at each day's rate; elsewhere 0.
    """

    interval_start: date
    account: str
    currency: str
    part: str | None
    start: Decimal
    new: Decimal
    reactivation: Decimal
    expansion: Decimal
    contraction: Decimal
    churn: Decimal
    fx: Decimal
    end: Decimal


class MrrUnknown(Shape):
    """How many subscriptions the policy may count, but of which it is not known what they are worth, for one reason."""

    reason: str
    subscriptions: int


class MrrResult(Shape):
    """The waterfall of each currency and part, in the order of time; what is not in it, as the build has it."""

    rows: tuple[MrrRow, ...]
    unknown: tuple[MrrUnknown, ...]
    policy: str
    interval: Interval
    by: By | None
    reporting: Reporting | None
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        shown = self.records()
        return Sheet(
            "Monthly recurring revenue",
            (
                f"By policy {self.policy}, each {self.interval} of UTC, up to {minute(self.as_of)}; live mode.",
                *([_REPORTED[self.reporting]] if self.reporting else []),
                *self._missing(),
            ),
            (first_rows(shown.columns, shown.rows, what="rows"),) if self.rows else (),
        )

    def _missing(self) -> tuple[str, ...]:
        if not self.unknown:
            return ()
        reasons = ", ".join(f"{one.reason}: {one.subscriptions}" for one in self.unknown)
        return (f"Subscriptions not in it, as nobody knows what they are worth (mrr_unknown): {reasons}.",)

    @property
    def _has_parts(self) -> bool:
        return self.by is not None and (self.by != "currency" or self.reporting is not None)

    def records(self) -> Table:
        """One row per interval, currency and part."""
        has_account = any(row.account for row in self.rows)
        names = [self.interval, *(["account"] if has_account else []), "currency"]
        names += [self.by] if self._has_parts and self.by else []
        amounts = ("start", *MOVEMENTS, *(["fx"] if self.reporting == "spot" else []), "end")
        columns = (
            *(Column(name, "date" if name == self.interval else "text") for name in names),
            *(Column(name, "number") for name in amounts),
        )
        rows = tuple(
            (
                *(row.interval_start, *([row.account] if has_account else []), row.currency),
                *([row.part] if self._has_parts else []),
                *(float(getattr(row, name)) for name in amounts),
            )
            for row in self.rows
        )
        return Table(columns, rows)


def query(spec: MrrSpec) -> Query:
    """What moved on each day, by currency and part."""
    sums = "".join(f"    coalesce(sum(arr) filter (where movement = '{name}'), 0) as {name},\n" for name in MOVEMENTS)
    steps = (
        *_parts(spec.by or "currency"),
        Step(
            "day_sum",
            f"select\n    account,\n    currency,\n    part,\n    day,\n{sums}    sum(arr) as moved\n"
            "from movement\ngroup by account, currency, part, day",
        ),
    )
    values: dict[str, Value] = {"policy": spec.policy or "", "days_end": spec.days_end.isoformat()}
    return Query(steps, values | {"as_of": spec.now})


def _parts(by: By) -> tuple[Step, ...]:
    """The movements that count, each with its part: what is paid for, or what holds of the payer at now."""
    counts = "policy = $policy\n    and livemode\n    and day < cast($days_end as date)"
    if by not in _OF_PERSONS:
        columns = f"account,\n    currency,\n    {_PARTS[by]} as part,\n    day,\n    movement,\n    arr"
        return (Step("movement", f"select\n    {columns}\nfrom mrr_movement\nwhere {counts}"),)
    return (
        Step(
            "payer",
            f"select\n    person_key,\n    value as part\nfrom person_property\nwhere property = {quote_literal(by)}\n"
            "    and valid_from <= $as_of\n    and (valid_to is null or valid_to > $as_of)",
        ),
        Step(
            "movement",
            "select\n    moved.account,\n    moved.currency,\n    payer.part,\n    moved.day,\n    moved.movement,\n"
            "    moved.arr\nfrom mrr_movement as moved\nleft join payer\n    on moved.person_key = payer.person_key\n"
            f"where {counts}",
        ),
    )


def prepare(engine: Engine, spec: MrrSpec) -> MrrSpec:
    """Fill in the build's now and the default policy.

    Raises:
        UsageError: if there is no such policy, or the time is in the midst of a day that is over.
    """
    spec = at_build(spec, engine)
    if spec.now != engine.as_of and spec.now.time() != time.min:
        raise UsageError(f"--as-of {spec.now.isoformat()}: recurring revenue is known at the ends of days (UTC)")
    by = spec.by or (None if spec.reporting else "currency")
    return spec.model_copy(update={"policy": prepare_policy(engine, spec.policy), "by": by})


def prepare_policy(engine: Engine, name: str | None) -> str:
    """The name of a policy that the build knows; its default for None.

    Raises:
        UsageError: if there is no such policy.
    """
    policies: dict[str, bool] = dict(engine.rows("select policy, is_default from revenue_policy"))
    if name is None:
        return next(name for name, is_default in policies.items() if is_default)
    if name not in policies:
        raise UsageError(f"no revenue policy {name!r} ({nearest(name, policies)})")
    return name


def run(engine: Engine, spec: MrrSpec) -> MrrResult:
    """Where recurring revenue stood and what moved it, interval by interval."""
    spec = prepare(engine, spec)
    days: dict[Key, list[dict[str, Any]]] = {}
    for row in sorted(query(spec).run(engine), key=lambda row: row["day"]):
        days.setdefault((row["account"], row["currency"], row["part"]), []).append({**row, "fx": Decimal(0)})
    with localcontext(prec=60):
        if spec.reporting:
            days = reported(
                days,
                Rates.read(engine),
                spec.reporting,
                movements=MOVEMENTS,
                days_end=spec.days_end,
                by_currency=spec.by == "currency",
            )
        rows = [row for key, of_key in days.items() for row in _waterfall(spec, key, of_key)]
    rows.sort(key=lambda row: (row.interval_start, row.account, row.currency, row.part or ""))
    return MrrResult(
        rows=tuple(rows),
        unknown=_unknown(engine, spec),
        policy=spec.policy or "",
        interval=spec.interval,
        by=spec.by,
        reporting=spec.reporting,
        as_of=spec.now,
    )


def _unknown(engine: Engine, spec: MrrSpec) -> tuple[MrrUnknown, ...]:
    found = engine.rows(
        "select reason, count(*) from mrr_unknown where policy = $policy and livemode"
        " group by reason order by 2 desc, reason",
        {"policy": spec.policy or ""},
    )
    return tuple(MrrUnknown(reason=reason, subscriptions=count) for reason, count in found)


def _waterfall(spec: MrrSpec, key: Key, days: list[dict[str, Any]]) -> Iterator[MrrRow]:
    """The intervals of one currency and part; those in which nothing stood and nothing moved are left out."""
    begin = spec.start.date() if spec.start else days[0]["day"]
    stood = sum((row["moved"] for row in days if row["day"] < begin), Decimal(0))
    kinds = (*MOVEMENTS, "fx")
    while begin < spec.days_end:
        number = number_of(begin, spec.interval)
        until = first_day(number + 1, spec.interval)
        inside = [row for row in days if begin <= row["day"] < until]
        moved: dict[str, Decimal] = {name: sum((row[name] for row in inside), Decimal(0)) for name in kinds}
        stands = stood + sum(moved.values(), Decimal(0))
        if stood or inside:
            amounts: dict[str, Decimal] = {"start": stood, **moved, "end": stands}
            account, currency, part = key
            rounded = {name: monthly(arr, currency) for name, arr in amounts.items()}
            yield MrrRow(
                interval_start=first_day(number, spec.interval),
                account=account,
                currency=currency,
                part=part,
                **rounded,
            )
        stood, begin = stands, until


def monthly(arr: Decimal, currency: str) -> Decimal:
    """A twelfth of what a year is worth, rounded half away from zero to the digits of the currency."""
    with localcontext(prec=60):
        return rounded(arr / 12, currency)
