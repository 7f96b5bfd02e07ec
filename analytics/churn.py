"""Usage churn: who used the product before and has stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import model_validator

from analytics.duration import Duration
from analytics.query import Engine, Query, Step
from analytics.spec import ReportSpec, at_build
from analytics.statistic import share, wilson
from analytics.table import Column, Sheet, Table, first_rows, minute, percent
from models.base import Moment, Shape
from models.errors import GdpError


class ChurnSpec(ReportSpec):
    """Two spans up to now: ``window`` without a core action, before it ``min_activity_before`` with at least one."""

    window: Duration = Duration(30, "d")
    min_activity_before: Duration = Duration(60, "d")

    @model_validator(mode="after")
    def _spans_are_the_range(self) -> ChurnSpec:
        if self.start or self.end:
            raise ValueError("churn has no --from and --to: --window and --min-activity-before say the spans")
        return self

    @property
    def window_from(self) -> datetime:
        """Where the span without activity begins."""
        return self.window.before(self.now)

    @property
    def before_from(self) -> datetime:
        """Where the span of earlier activity begins."""
        return self.min_activity_before.before(self.window_from)


class ChurnedUser(Shape):
    """A person who has stopped: the last core action, and how many there were in the earlier span."""

    person_id: str
    email: str | None
    last_core_action_at: Moment
    core_actions_before: int


class ChurnResult(Shape):
    """The churned, the two groups they are counted against, and the question.

    ``rate`` is churned of ``active_before`` (= churned + retained), with its 95 % Wilson interval; ``newly_active``
    persons have core actions in the window and none in the span before it.
    """

    users: tuple[ChurnedUser, ...]
    count: int
    active_before: int
    retained: int
    newly_active: int
    rate: float | None
    low: float | None
    high: float | None
    window: str
    min_activity_before: str
    before_from: Moment
    window_from: Moment
    as_of: Moment

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md."""
        found = self.model_dump(mode="json", by_alias=True)
        return {**{name: value for name, value in found.items() if name != "users"}, "users": found["users"]}

    def table(self) -> Sheet:
        """One screen: the totals, and the persons who were most active before."""
        columns = (
            Column("person"),
            Column("last core action", "time"),
            Column("core actions before", "count"),
        )
        rows = tuple(
            (user.email or user.person_id, user.last_core_action_at, user.core_actions_before) for user in self.users
        )
        if self.rate is None:
            rate = "nobody was active before"
        else:
            rate = f"{percent(self.rate)} (95% interval {percent(self.low)} to {percent(self.high)})"
        return Sheet(
            "Usage churn",
            (
                f"A core action in the {self.min_activity_before} from {minute(self.before_from)} UTC,",
                f"none in the {self.window} from {minute(self.window_from)} to {minute(self.as_of)}.",
                f"Churned {self.count} of {self.active_before} active before: {rate}.",
                f"Retained {self.retained}; active only in the window {self.newly_active}.",
            ),
            (first_rows(columns, rows, what="persons"),) if rows else (),
        )

    def records(self) -> Table:
        """One row per churned person, for files."""
        columns = (
            Column("person_id"),
            Column("email"),
            Column("last_core_action_at", "time"),
            Column("core_actions_before", "count"),
        )
        return Table(
            columns,
            tuple(
                (user.person_id, user.email, user.last_core_action_at, user.core_actions_before) for user in self.users
            ),
        )


def query(spec: ChurnSpec) -> Query:
    """The churned persons as named SQL steps; the step ``total`` has the groups they are counted against."""
    steps = (
        Step(
            "core_action",
            "select person_key, occurred_at\nfrom event\n"
            "where is_action\n    and category = 'core_value'\n    and person_key is not null\n"
            "    and occurred_at >= $before_from\n    and occurred_at < $as_of",
        ),
        Step(
            "activity",
            "select\n    person_key,\n    max(occurred_at) as last_at,\n"
            "    count(*) filter (where occurred_at < $window_from) as actions_before,\n"
            "    count(*) filter (where occurred_at >= $window_from) as actions_since\n"
            "from core_action\ngroup by person_key",
        ),
        Step(
            "total",
            "select\n    count(*) filter (where actions_before > 0) as active_before,\n"
            "    count(*) filter (where actions_before > 0 and actions_since > 0) as retained,\n"
            "    count(*) filter (where actions_before = 0) as newly_active\nfrom activity",
        ),
        Step(
            "churned",
            "select\n    person.person_id,\n    person.email,\n    activity.last_at,\n    activity.actions_before\n"
            "from activity\ninner join person\n    on activity.person_key = person.person_key\n"
            "where activity.actions_before > 0\n    and activity.actions_since = 0",
        ),
    )
    return Query(
        steps,
        {"as_of": spec.now, "window_from": spec.window_from, "before_from": spec.before_from},
    )


def prepare(engine: Engine, spec: ChurnSpec) -> ChurnSpec:
    """Fill in the build's now."""
    return at_build(spec, engine)


def run(engine: Engine, spec: ChurnSpec) -> ChurnResult:
    """Answer who has churned.

    Raises:
        GdpError: if the persons listed are not as many as the totals say.
    """
    spec = prepare(engine, spec)
    asked = query(spec)
    (total,) = asked.until("total").run(engine)
    users = tuple(
        ChurnedUser(
            person_id=row["person_id"],
            email=row["email"],
            last_core_action_at=row["last_at"],
            core_actions_before=row["actions_before"],
        )
        for row in sorted(
            asked.run(engine),
            key=lambda row: (-row["actions_before"], -row["last_at"].timestamp(), row["person_id"]),
        )
    )
    return _result(spec, users, **total)


def _result(
    spec: ChurnSpec, users: tuple[ChurnedUser, ...], *, active_before: int, retained: int, newly_active: int
) -> ChurnResult:
    if len(users) != active_before - retained:
        raise GdpError(f"internal error: {len(users)} persons are listed, but {active_before - retained} have churned")
    low, high = wilson(len(users), active_before) if active_before else (None, None)
    return ChurnResult(
        users=users,
        count=len(users),
        active_before=active_before,
        retained=retained,
        newly_active=newly_active,
        rate=share(len(users), active_before),
        low=low,
        high=high,
        window=str(spec.window),
        min_activity_before=str(spec.min_activity_before),
        before_from=spec.before_from,
        window_from=spec.window_from,
        as_of=spec.now,
    )
