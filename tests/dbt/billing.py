"""What a person's subscriptions say together, in plain Python: the oracle of billing_status, billing_plan and mrr."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from typing import Any

from tests.dbt.ledger import POLICIES, ItemState, Telling, arr, items_at

_SECONDS = re.compile(r"\b1[0-9]{9}\b")
_KNOWN_STATUSES = {"active", "canceled", "incomplete", "past_due", "paused", "trialing", "unpaid"}


@dataclass(frozen=True)
class Billing:
    """What holds at a time; ``mrr`` is None if it is not known or in several currencies, and ``is_clear`` if it is."""

    status: str
    plan: str | None
    mrr: Fraction | None
    is_clear: bool


def moments_of(deliveries: Iterable[dict[str, Any]]) -> list[datetime]:
    """Every time that deliveries name, and of their receipt: nothing changes between two of them."""
    found = set()
    for row in deliveries:
        found |= {datetime.fromtimestamp(int(text), timezone.utc) for text in _SECONDS.findall(row["body"])}
        if "fetched_at" in row and row["fetched_at"] and json.loads(row["body"])["object"] != "event":
            found.add(row["fetched_at"])
    return sorted(found)


def billing(
    told: dict[str, list[Telling]], attempts: dict[str, list[tuple[datetime, bool]]], moments: Iterable[datetime]
) -> Iterator[tuple[datetime, Billing | None]]:
    """What one customer's subscriptions say at each of all the times at which they change; None before they begin."""
    has_paid = has_begun = False
    for moment in moments:
        items = [
            item for name, of_one in told.items() for item in items_at(moment, of_one, attempts.get(name, ())).values()
        ]
        has_begun = has_begun or bool(items)
        status = _status(items)
        has_paid = has_paid or status in ("past_due", "paid")
        if status == "none" and has_paid:
            status = "churned"
        yield moment, _billing(items, status) if has_begun else None


def _status(items: list[ItemState]) -> str:
    if any(item.status in ("past_due", "unpaid") for item in items):
        return "past_due"
    if any(_is_paid(item) for item in items):
        return "paid"
    return "trial" if any(item.status == "trialing" for item in items) else "none"


def _is_paid(item: ItemState) -> bool:
    is_free = item.list_arr is not None and item.list_arr == 0
    return item.status in ("active", "paused") and not is_free


def _billing(items: list[ItemState], status: str) -> Billing:
    worth = {item: arr(item, "gdp") for item in items}
    currencies = {item.currency for item, value in worth.items() if value}
    is_clear = all(item.status in _KNOWN_STATUSES for item in items) and not any(
        item.list_arr is None and item.status in POLICIES["gdp"][0] for item in items
    )
    return Billing(
        status,
        max(((value, item.plan_id) for item, value in worth.items()), default=(0, None))[1],
        sum(worth.values(), Fraction(0)) / 12 if len(currencies) < 2 else None,
        is_clear,
    )
