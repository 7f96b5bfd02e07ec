"""Random lives of subscriptions, as Stripe tells of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.dbt.ledger import DURATIONS
from tests.dbt.stripes import BEGIN, at, event, invoice, snapshot


class Sales:
    """Random subscriptions of some customers: what Stripe tells of them over 60 days."""

    def __init__(self, seed: int, subscriptions: int, customers: int) -> None:
        self.chance = random.Random(seed)
        self.subscriptions, self.customers = subscriptions, customers
        self.coupons: list[dict[str, Any]] = []

    def deliveries(self) -> list[dict[str, Any]]:
        """All deliveries, in any order."""
        lives = [row for number in range(self.subscriptions) for row in self._life(number)]
        lives += [self._landed(coupon) for coupon in self.coupons]
        found = list({(row["body_key"], row.get("fetched_at")): row for row in lives}.values())
        self.chance.shuffle(found)
        return found

    def _life(self, number: int) -> Iterator[dict[str, Any]]:
        chance = self.chance
        name, begin = f"r{number}", chance.randint(0, 20)
        trial_end = begin + 5 if chance.random() < 0.3 else None
        fixed = {
            "id": f"sub_{name}",
            "object": "subscription",
            "customer": f"cus_{chance.randrange(self.customers)}",
            "created": at(begin),
            "start_date": at(begin),
            "trial_start": trial_end and at(begin),
            "trial_end": trial_end and at(trial_end),
            "ended_at": None,
            "metadata": {},
        }
        says = self._terms(name, "trialing" if trial_end else "active")
        when, kind = float(begin), "customer.subscription.created"
        for step in range(chance.randint(1, 6)):
            if step or chance.random() < 0.7:
                yield self._told(kind, when, fixed | says)
            when += chance.choice((0, 0, 0.3, 1, 2, 4, 9))
            kind = "customer.subscription.updated"
            if chance.random() < 0.25:
                yield self._attempt(name, when)
            if chance.random() < 0.2:
                yield from self._burst(name, when, fixed | says)
            says = says | self._change(name)
        if chance.random() < 0.4:
            ended = {"status": "canceled", "ended_at": at(when)}
            if chance.random() < 0.7:
                yield event("customer.subscription.deleted", when, fixed | says | ended)
            else:
                yield snapshot(fixed | says | ended, when + chance.choice((0.5, 3)))

    def _burst(self, name: str, when: float, says: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Updates of one second, whose ids tell nothing of their order; one of them may be lost."""
        chance, kind = self.chance, "customer.subscription.updated"
        lost = chance.randrange(8)
        for number in range(chance.randint(2, 3)):
            after = says | self._change(name)
            before = {key: says.get(key) for key, value in after.items() if says.get(key) != value}
            if "items" in before:
                before["items"] = {"data": says["items"]["data"]}
            if before and number != lost:
                yield event(kind, when, after, id=f"evt_burst_{chance.randrange(10**9)}", previous=before)
            says = after

    def _told(self, kind: str, when: float, says: dict[str, Any]) -> dict[str, Any]:
        if self.chance.random() < 0.2:
            return snapshot(says, when + self.chance.choice((0, 0.000001, 0.1)))
        return event(kind, when, says)

    def _attempt(self, name: str, when: float) -> dict[str, Any]:
        failed = {"status": "open", "amount_paid": 0, "status_transitions": {"paid_at": None}}
        is_failure = self.chance.random() < 0.6
        kind = "invoice.payment_failed" if is_failure else "invoice.paid"
        day = when + self.chance.choice((0, 0.1, 0.2))
        return event(kind, day, invoice(f"{name}_{day}", f"sub_{name}", day, **(failed if is_failure else {})))

    def _change(self, name: str) -> dict[str, Any]:
        drawn = self.chance.random()
        if drawn < 0.3:
            return {
                "status": self.chance.choice(("active", "active", "past_due", "unpaid", "paused", "trialing", "new"))
            }
        if drawn < 0.4:
            return {"pause_collection": self.chance.choice((None, {"behavior": "void"}))}
        if drawn < 0.5:
            return {}
        return self._terms(name, "active")

    def _terms(self, name: str, status: str) -> dict[str, Any]:
        chance = self.chance
        items = [self._item(f"si_{name}_{number}") for number in range(3) if chance.random() < 0.6 or number == 0]
        whole = [self._discount(f"{name}{number}") for number in range(2) if chance.random() < 0.25]
        return {
            "status": status,
            "items": {"object": "list", "data": items, "has_more": False},
            "discounts": whole if chance.random() < 0.5 else [],
            "discount": whole[0] if whole and chance.random() < 0.3 else None,
        } | ({"discounts": [one["id"] for one in whole], "discount": whole[0]} if len(whole) == 1 else {})

    def _item(self, item_id: str) -> dict[str, Any]:
        chance = self.chance
        interval, count = chance.choice((("month", 1), ("month", 3), ("year", 1), ("week", 1), ("day", 7), ("week", 2)))
        plan = chance.randrange(4)
        price: dict[str, Any] = {
            "id": f"price_{plan}",
            "object": "price",
            "currency": chance.choice(("usd", "usd", "eur")),
            "product": f"prod_{plan // 2}",
            "recurring": {"interval": interval, "interval_count": count, "usage_type": "licensed"},
            "unit_amount": chance.choice((0, 1000, 1999, 2900)),
            "billing_scheme": "per_unit",
        }
        drawn = chance.random()
        if drawn < 0.1:
            price["recurring"]["usage_type"] = "metered"
        elif drawn < 0.35:
            tiers = [{"up_to": 2, "unit_amount": 500, "flat_amount": 100}]
            tiers += [{"up_to": 5, "unit_amount": 400, "flat_amount": 0}]
            tiers += [{"up_to": None, "unit_amount": 300, "flat_amount": 700}]
            mode = chance.choice(("volume", "graduated"))
            price |= {"billing_scheme": "tiered", "tiers_mode": mode, "unit_amount": None}
            price |= {"tiers": tiers} if drawn < 0.3 else {}
        elif drawn < 0.45:
            price["transform_quantity"] = {"divide_by": 3, "round": chance.choice(("up", "down"))}
        item = {"id": item_id, "object": "subscription_item", "price": price}
        if price["recurring"]["usage_type"] == "licensed":
            item["quantity"] = chance.choice((0, 1, 2, 3, 7))
        return item | ({"discounts": [self._discount(item_id)]} if chance.random() < 0.2 else {})

    def _discount(self, name: str) -> dict[str, Any]:
        chance = self.chance
        duration = chance.choice(DURATIONS)
        start = chance.randint(0, 30)
        coupon: dict[str, Any] = {"id": "c", "duration": duration, "percent_off": None, "amount_off": None}
        coupon["currency"] = None
        if chance.random() < 0.6:
            coupon["percent_off"] = chance.choice((10, 12.5, 50, 100))
        else:
            coupon |= {"amount_off": chance.choice((100, 500)), "currency": chance.choice(("usd", "eur"))}
        end = at(start + chance.randint(5, 40)) if duration == "repeating" else None
        discount = {"id": f"di_{name}", "object": "discount", "start": at(start), "end": end}
        if chance.random() < 0.7:
            return discount | {"coupon": coupon}
        coupon |= {"id": f"c{len(self.coupons)}", "object": "coupon"}
        self.coupons.append(coupon)
        by_id = {"coupon": coupon["id"]}
        return discount | (by_id if chance.random() < 0.5 else {"source": {"type": "coupon", **by_id}})

    def _landed(self, coupon: dict[str, Any]) -> dict[str, Any]:
        day = self.chance.choice((0, 15, 70))
        if self.chance.random() < 0.5:
            return snapshot(coupon, day)
        return event(f"coupon.{self.chance.choice(('created', 'updated', 'deleted'))}", day, coupon)


def moments(seed: int, number: int) -> list[datetime]:
    """Times of the 90 days of a life: whole days, when much happens, and others."""
    chance = random.Random(seed)
    return [BEGIN + timedelta(days=chance.choice((chance.randint(0, 90), chance.random() * 90))) for _ in range(number)]
