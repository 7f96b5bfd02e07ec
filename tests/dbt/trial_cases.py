"""Trials and how they went: cases worked by hand, and the rule in plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.dbt.ledger import Telling, items_at
from tests.dbt.stripes import at, event, invoice, snapshot, subscription

CREATED, UPDATED = "customer.subscription.created", "customer.subscription.updated"
DELETED = "customer.subscription.deleted"

#: Per case, of each trial: begin, first and last told end, real end, whether it was extended, outcome, conversion.
TRIALS: dict[str, list[tuple[Any, ...]]] = {
    "converts": [(0, 14, 14, 14, False, "converted", 14.1)],
    "silent": [(0, 14, 14, 14, False, "converted", 14)],
    "leaves": [(0, 14, 14, 14, False, "churned", None)],
    "prolonged": [(0, 14, 21, None, True, "running", None)],
    "shortened": [(0, 14, 7, 7, False, "converted", 7)],
    "fails": [(0, 14, 14, 14, False, "churned", None)],
    "owes": [(0, 14, 14, 14, False, "unpaid", None)],
    "gratis": [(0, 14, 14, 14, False, "free", None)],
    "set_up": [(0, 14, 14, 14, False, "churned", None)],
    "at_once": [(0, 14, 14, 5, False, "converted", 5)],
    "stopped": [(0, 14, 14, 14, False, "paused", None)],
    "twice": [(0, 5, 5, 5, False, "converted", 5), (20, 27, 27, None, False, "running", None)],
    "heard_of": [(2, 9, 9, 9, False, "converted", 9)],
    "vanished": [(0, 14, 14, 14, False, "converted", 14)],
}


def trial_lives() -> Iterator[dict[str, Any]]:
    """What Stripe tells of them, each of a customer of its own."""

    def says(name: str, status: str = "active", end: float = 14, **changes: Any) -> dict[str, Any]:
        return subscription(f"try_{name}", status=status, trial_start=at(0), trial_end=at(end), **changes)

    def bill(name: str, day: float, kind: str = "invoice.paid", **changes: Any) -> dict[str, Any]:
        fields = {"customer": f"cus_try_{name}"} | changes
        return event(kind, day, invoice(f"try_{name}_{day}", f"sub_try_{name}", day, **fields))

    failed = {"status": "open", "amount_paid": 0, "status_transitions": {"paid_at": None}}
    for name in TRIALS:
        if name not in ("heard_of", "twice"):
            yield event(CREATED, 0, says(name, "trialing"))
            first = {"billing_reason": "subscription_create", "amount_paid": 100 if name == "set_up" else 0}
            if name not in ("silent", "vanished"):
                yield bill(name, 0, **first)
    for name in ("converts", "silent", "fails", "owes", "gratis", "vanished"):
        yield event(UPDATED, 14, says(name))
    yield bill("converts", 14.1)
    for name in ("leaves", "set_up"):
        yield event(DELETED, 14, says(name, "canceled", ended_at=at(14)))
    yield event(UPDATED, 10, says("prolonged", "trialing", 21))
    yield event(UPDATED, 3, says("shortened", "trialing", 7))
    yield event(UPDATED, 7, says("shortened", end=7))
    yield bill("shortened", 7)
    for name in ("fails", "owes"):
        yield bill(name, 14.1, "invoice.payment_failed", **failed)
    yield event(DELETED, 30, says("fails", "canceled", ended_at=at(30)))
    yield bill("gratis", 14, amount_paid=0)
    yield event(UPDATED, 5, says("at_once", end=5))
    yield bill("at_once", 5)
    yield event(UPDATED, 14, says("stopped", "paused"))
    yield event(CREATED, 0, says("twice", "trialing", 5))
    yield event(UPDATED, 5, says("twice", end=5))
    yield bill("twice", 5)
    yield event(UPDATED, 20, says("twice", "trialing", 27))
    yield snapshot(subscription("try_heard_of", start_date=at(2), trial_start=at(2), trial_end=at(9)), 20)
    yield event(DELETED, 30, says("vanished", "canceled", ended_at=at(30)))


def trials_of(
    told: list[Telling], attempts: Iterable[tuple[datetime, bool]], moments: Iterable[datetime], now: datetime
) -> Iterator[tuple[datetime, datetime | None, str, datetime | None]]:
    """Begin, end, outcome and conversion of each trial of a subscription whose payments are all above 0."""
    attempts = sorted(attempts)
    spans: list[list[datetime | None]] = []
    active_at: list[datetime] = []
    before: set[str] = set()
    for moment in (moment for moment in moments if moment <= now):
        statuses = {item.status for item in items_at(moment, told, attempts).values()}
        if "trialing" in statuses and "trialing" not in before:
            spans.append([moment, None])
        if "trialing" in before and "trialing" not in statuses:
            spans[-1][1] = moment
        if "active" in statuses:
            active_at.append(moment)
        before = statuses
    last = told[-1]
    for number, (begin, end) in enumerate(spans):
        assert begin is not None
        until = spans[number + 1][0] if number + 1 < len(spans) else None
        mine = [(when, failed) for when, failed in attempts if begin <= when <= now and (until is None or when < until)]
        paid = min((when for when, failed in mine if not failed), default=None)
        if end is None:
            yield begin, None, "running", None
        elif paid is not None:
            yield begin, end, "converted", paid
        elif not [when for when, _ in mine if when >= end - timedelta(hours=1)] and [
            when for when in active_at if end <= when and (until is None or when < until)
        ]:
            yield begin, end, "converted", end
        elif until is not None or last.is_ended:
            yield begin, end, "churned", None
        else:
            yield begin, end, "paused" if last.says["status"] == "paused" else "unpaid", None
