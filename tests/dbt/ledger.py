"""What subscriptions are worth, in plain Python: the oracle of the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from itertools import groupby, pairwise, permutations
from typing import Any

from tests.dbt.stripes import BEGIN

PERIODS_PER_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}
DURATIONS = ("forever", "repeating", "once")


@dataclass(frozen=True)
class Telling:
    """What a delivery says of a subscription, and its place in the order of time."""

    place: tuple[Any, ...]
    moment: datetime
    says: dict[str, Any]
    was: dict[str, Any]
    is_creation: bool
    is_deletion: bool

    @property
    def is_ended(self) -> bool:
        return self.is_deletion or self.says["status"] in ("canceled", "incomplete_expired")

    @property
    def holds_from(self) -> datetime:
        ended_at = self.says["ended_at"]
        return min(self.moment, _time(ended_at)) if self.is_ended and ended_at else self.moment


@dataclass(frozen=True)
class ItemState:
    """An item at a time: yearly list price (None without one), and what each kind of discount leaves and takes off."""

    item_id: str
    plan_id: str
    currency: str
    status: str
    is_collection_paused: bool
    is_assumed: bool
    list_arr: Fraction | None
    shares: tuple[Fraction, ...]
    offs: tuple[Fraction, ...]


def tellings(deliveries: Iterable[dict[str, Any]]) -> dict[str, list[Telling]]:
    """By subscription, in SEMANTICS' order; what follows a deletion is left out."""
    found: dict[str, list[Telling]] = {}
    deliveries = list(deliveries)
    coupons = {says["id"]: says for says in map(_says, deliveries) if says["object"] == "coupon"}
    for row in deliveries:
        body = json.loads(row["body"], object_hook=lambda says: _with_coupon(says, coupons))
        is_snapshot = body["object"] != "event"
        says = body if is_snapshot else body["data"]["object"]
        if says["object"] != "subscription":
            continue
        kind = "" if is_snapshot else body["type"]
        moment = row["fetched_at"] if is_snapshot else _time(body["created"])
        rank = 0 if kind.endswith(".created") else 2 if kind.endswith(".deleted") else 1
        is_over = says["status"] in ("canceled", "incomplete_expired")
        second = moment.replace(microsecond=0)
        place = (second, is_snapshot, rank, is_over, row["delivery_id"], moment, row["body_key"])
        was = _patched(says, {} if is_snapshot else body["data"].get("previous_attributes") or {})
        telling = Telling(place, moment, says, was, rank == 0 and not is_snapshot, rank == 2)
        found.setdefault(says["id"], []).append(telling)
    for name, all_of in found.items():
        all_of = _in_order(all_of)
        deleted = next((number for number, telling in enumerate(all_of) if telling.is_deletion), len(all_of))
        found[name] = all_of[: deleted + 1] + [telling for telling in all_of[deleted + 1 :] if telling.is_deletion]
    return found


def _says(row: dict[str, Any]) -> dict[str, Any]:
    body = json.loads(row["body"])
    found: dict[str, Any] = body if body["object"] != "event" else body["data"]["object"]
    return found


def _with_coupon(says: dict[str, Any], coupons: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A discount with its coupon in full, where it told the id alone."""
    coupon = says.get("coupon") or (says.get("source") or {}).get("coupon")
    if says.get("object") == "discount" and isinstance(coupon, str):
        return says | {"coupon": coupons[coupon]}
    return says


def _patched(says: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
    """What an object was before an update; members that are null are left out."""
    merged = {name: (says.get(name) or {}) | was if isinstance(was, dict) else was for name, was in previous.items()}
    return {name: value for name, value in (says | merged).items() if value is not None}


def _in_order(all_of: list[Telling]) -> list[Telling]:
    """By their places; updates of one second so that most of them were before what the one before them is."""
    ordered: list[Telling] = []
    for (_, is_snapshot, rank), grouped in groupby(sorted(all_of, key=_place), key=lambda one: one.place[:3]):
        crowd = list(grouped)
        if (is_snapshot, rank) == (False, 1) and any(one.was != _patched(one.says, {}) for one in crowd):
            crowd = max(permutations(crowd), key=lambda order: _links([*ordered[-1:], *order]))
        ordered += crowd
    return ordered


def _place(telling: Telling) -> tuple[Any, ...]:
    return telling.place


def _links(order: Iterable[Telling]) -> int:
    return sum(other.was == _patched(one.says, {}) for one, other in pairwise(order))


def attempts_of(deliveries: Iterable[dict[str, Any]]) -> dict[str, list[tuple[datetime, bool]]]:
    """By subscription: time and whether it failed, of each attempt to collect."""
    found: dict[str, list[tuple[datetime, bool]]] = {}
    for row in deliveries:
        body = json.loads(row["body"])
        if body["object"] == "event" and body["type"].startswith("invoice."):
            says = body["data"]["object"]
            subscription = says["parent"]["subscription_details"]["subscription"]
            if body["type"] == "invoice.payment_failed":
                found.setdefault(subscription, []).append((_time(body["created"]), True))
            elif says["status"] == "paid":
                paid_at = _time(says["status_transitions"]["paid_at"])
                found.setdefault(subscription, []).append((paid_at, False))
    return found


def items_at(
    moment: datetime, told: list[Telling], attempts: Iterable[tuple[datetime, bool]] = ()
) -> dict[str, ItemState]:
    """The items of a subscription at a time, by id."""
    known = [telling for telling in told if telling.holds_from <= moment]
    if known:
        state = known[-1]
        if state.is_ended:
            return {}
        status = state.says["status"]
        since = [(when, is_failure) for when, is_failure in attempts if state.moment < when <= moment]
        failed = max((when for when, is_failure in since if is_failure), default=None)
        paid = max((when for when, is_failure in since if not is_failure), default=None)
        if status == "active" and failed and (paid is None or failed > paid):
            status = "past_due"
        return _items(state, moment, status, is_assumed=False)
    first = told[0]
    if first.is_creation or _time(first.says["start_date"]) > moment:
        return {}
    status = first.says["status"]
    if status != "incomplete_expired" and (first.is_ended or status in ("past_due", "unpaid", "paused")):
        status = "active"
    trial_end = first.says.get("trial_end")
    if trial_end and moment < _time(trial_end):
        status = "trialing"
    return _items(first, moment, status, is_assumed=True)


def _items(state: Telling, moment: datetime, status: str, *, is_assumed: bool) -> dict[str, ItemState]:
    items = state.says["items"]["data"]
    amounts = {item["id"]: _amount(item) for item in items}
    listed = [state.says.get("discount"), *(state.says.get("discounts") or [])]
    whole = list({one["id"]: one for one in listed if isinstance(one, dict)}.values())
    found = {}
    for item in sorted(items, key=lambda item: str(item["id"])):
        price = item["price"]
        running = [(one, False) for one in whole] + [(one, True) for one in item.get("discounts") or []]
        running = [(one, own) for one, own in running if isinstance(one, dict) and _runs(one, moment)]
        shares, offs = dict.fromkeys(DURATIONS, Fraction(1)), dict.fromkeys(DURATIONS, Fraction(0))
        year = Fraction(PERIODS_PER_YEAR[price["recurring"]["interval"]], price["recurring"]["interval_count"])
        for one, own in running:
            coupon = one["coupon"]
            if coupon["percent_off"]:
                shares[coupon["duration"]] *= 1 - Fraction(str(coupon["percent_off"])) / 100
            elif coupon["currency"] == price["currency"]:
                total = sum(
                    amounts[other["id"]] or 0 for other in items if other["price"]["currency"] == price["currency"]
                )
                share = 1 if own else (amounts[item["id"]] or 0) / total if total else 0
                offs[coupon["duration"]] += Fraction(coupon["amount_off"], 100) * share
        amount = amounts[item["id"]]
        found[item["id"]] = ItemState(
            item["id"],
            price["id"],
            price["currency"],
            status,
            state.says.get("pause_collection") is not None and not is_assumed,
            is_assumed,
            None if amount is None else amount * year,
            tuple(shares.values()),
            tuple(off * year for off in offs.values()),
        )
    return found


def _runs(discount: dict[str, Any], moment: datetime) -> bool:
    end = discount["end"]
    return _time(discount["start"]) <= moment and (end is None or moment < _time(end))


def _amount(item: dict[str, Any]) -> Fraction | None:
    """What a period costs at the quantity, in major units."""
    price, quantity = item["price"], Fraction(item.get("quantity", 1))
    if price["recurring"].get("usage_type") == "metered":
        return None
    if transform := price.get("transform_quantity"):
        units = quantity / transform["divide_by"]
        quantity = Fraction(-(-units // 1) if transform["round"] == "up" else units // 1)
    if price.get("billing_scheme") != "tiered":
        return None if price["unit_amount"] is None else price["unit_amount"] * quantity / 100
    if not price.get("tiers"):
        return None
    minor, below = Fraction(0), 0
    for number, tier in enumerate(price["tiers"]):
        top = quantity if tier["up_to"] is None else min(quantity, Fraction(tier["up_to"]))
        is_reached = quantity > below or number == 0
        if price["tiers_mode"] == "graduated" and is_reached:
            minor += tier["unit_amount"] * (top - below) + tier["flat_amount"]
        elif is_reached and (tier["up_to"] is None or quantity <= tier["up_to"]):
            minor = tier["unit_amount"] * quantity + tier["flat_amount"]
        below = tier["up_to"]
    return minor / 100


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


#: Per policy: Stripe's statuses that count, whether a paused collection does, and the kinds of discount that reduce.
POLICIES: dict[str, tuple[tuple[str, ...], bool, tuple[str, ...]]] = {
    "gdp": (("active", "past_due"), False, ("forever", "repeating")),
    "stripe": (("active", "past_due", "paused"), True, ("forever",)),
    "chartmogul": (("active", "past_due"), False, ("forever", "repeating", "once")),
}


def arr(item: ItemState, policy: str) -> Fraction:
    """What an item is worth in a year."""
    statuses, counts_paused_collection, durations = POLICIES[policy]
    if item.list_arr is None or item.status not in statuses:
        return Fraction(0)
    if item.is_collection_paused and not counts_paused_collection:
        return Fraction(0)
    worth = item.list_arr
    for duration, share in zip(DURATIONS, item.shares, strict=True):
        worth *= share if duration in durations else 1
    for duration, off in zip(DURATIONS, item.offs, strict=True):
        worth -= off if duration in durations else 0
    return max(worth, Fraction(0))


#: Who, whose (subscription, item, plan, currency) and what it is worth in a year.
Worth = dict[tuple[str, tuple[str, str, str, str]], Fraction]


def worth_at(
    moment: datetime, told: dict[str, list[Telling]], attempts: dict[str, list[tuple[datetime, bool]]], policy: str
) -> Worth:
    """All that counts at a time."""
    found: Worth = {}
    for name, of_one in told.items():
        for item in items_at(moment, of_one, attempts.get(name, ())).values():
            if value := arr(item, policy):
                found[of_one[-1].says["customer"], (name, item.item_id, item.plan_id, item.currency)] = value
    return found


def movements(
    told: dict[str, list[Telling]], attempts: dict[str, list[tuple[datetime, bool]]], policy: str, days: int
) -> Iterator[tuple[int, str, tuple[str, str, str, str], Fraction]]:
    """Day, kind, whose and how much: each customer pays for itself, and is looked at at the end of each day."""
    before: Worth = {}
    payers: set[str] = set()
    for day in range(days):
        after = worth_at(BEGIN + timedelta(days=day + 1, microseconds=-1), told, attempts, policy)
        for payer in {who for who, _ in before.keys() | after.keys()}:
            was = {whose: value for (who, whose), value in before.items() if who == payer}
            now = {whose: value for (who, whose), value in after.items() if who == payer}
            for whose in was.keys() | now.keys():
                if moved := now.get(whose, Fraction(0)) - was.get(whose, Fraction(0)):
                    net = _in_currency(now, whose[3]) - _in_currency(was, whose[3])
                    yield day, _kind(bool(was), bool(now), payer in payers, net), whose, moved
            payers |= {payer} if now else set()
        before = after


def _in_currency(worth: dict[tuple[str, str, str, str], Fraction], currency: str) -> Fraction:
    return sum((value for whose, value in worth.items() if whose[3] == currency), Fraction(0))


def _kind(paid: bool, pays: bool, ever_paid: bool, net: Fraction) -> str:
    if not paid:
        return "reactivation" if ever_paid else "new"
    if not pays:
        return "churn"
    return "expansion" if net >= 0 else "contraction"
