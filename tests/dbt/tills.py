"""Random payments of some customers, and what became of them, as Stripe tells of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.dbt.stripes import at, charge, dispute, event, invoice, invoice_payment, refund, snapshot, subscription


class Payments:
    """Invoices of customers ``cus_t…`` in every shape, paid, given back, contested or none of it."""

    def __init__(self, seed: int, customers: int) -> None:
        self.chance = random.Random(seed)
        self.customers = customers

    def deliveries(self) -> list[dict[str, Any]]:
        """All deliveries, in any order, some of them twice."""
        told = [row for number in range(self.customers) for row in self._customer(number)]
        found = list({(row["body_key"], row.get("fetched_at")): row for row in told}.values())
        self.chance.shuffle(found)
        return found

    def _customer(self, number: int) -> Iterator[dict[str, Any]]:
        chance = self.chance
        currency = chance.choice(("usd", "usd", "eur", "jpy", "kwd"))
        fixed = {"customer": f"cus_t{number}", "currency": currency}
        names = [f"t{number}_{which}" for which in range(chance.choice((1, 1, 2)))]
        for name in names:
            ended = {"status": "canceled", "ended_at": at(70)} if chance.random() < 0.5 else {}
            yield snapshot(subscription(name, **fixed, amount=0, **ended), 80)
        for which in range(chance.randint(1, 4)):
            sub = chance.choice((*(f"sub_{name}" for name in names), None))
            yield from self._invoice(f"t{number}x{which}", sub, chance.choice((1, 2, 9, 20)), fixed)
        if chance.random() < 0.2:
            alone = charge(f"t{number}alone", 3, **fixed, invoice=None)
            yield event("charge.succeeded", 3, alone)
            yield event("charge.refunded", 4, alone | {"amount_refunded": 2900})

    def _invoice(self, name: str, sub: str | None, day: float, fixed: dict[str, Any]) -> Iterator[dict[str, Any]]:
        chance = self.chance
        amount = chance.choice((0, 1000, 1000, 2900))
        shape = chance.choice(("flat", "payment", "listed", "silent", "silent"))
        unpaid = {"status": "open", "amount_paid": 0, "status_transitions": {"paid_at": None}}
        owner = {"subscription": sub} if shape == "flat" and sub else {}
        says = invoice(name, sub, day, **fixed, amount_paid=amount, **owner)
        if shape == "flat":
            says |= {"charge": f"ch_{name}", "payment_intent": f"pi_{name}"}
        yield event("invoice.created", day, says | unpaid | {"status": "draft"})
        yield event("invoice.zzz_finalized", day, says | unpaid)
        if chance.random() < 0.15:
            end = chance.choice(("void", "uncollectible"))
            yield event(f"invoice.{end}", day + 5, says | unpaid | {"status": end})
            return
        yield event("invoice.paid", day + chance.choice((0, 0.1)), says)
        if shape == "listed":
            listed = [{"payment": {"type": "payment_intent", "payment_intent": f"pi_{name}", "charge": None}}]
            yield snapshot(says | {"payments": {"object": "list", "data": listed}}, day + chance.choice((3, 30)))
        elif shape == "payment":
            yield event("invoice_payment.paid", day, invoice_payment(name))
        if amount:
            made = charge(name, day - chance.choice((0, 0, 0.01, 2)), **fixed, amount=amount)
            made |= {"invoice": f"in_{name}"} if shape == "flat" else {}
            if chance.random() < 0.9:
                yield event("charge.succeeded", day, made)
            yield from self._afterwards(name, day, made)

    def _afterwards(self, name: str, day: float, made: dict[str, Any]) -> Iterator[dict[str, Any]]:
        chance = self.chance
        drawn = chance.random()
        if drawn < 0.5:
            yield from self._refunds(name, day, made)
        elif drawn < 0.7:
            contested = dispute(name, day + 2, amount=made["amount"], currency=made["currency"])
            yield event("charge.dispute.created", day + 2, contested)
            end = contested | {"status": chance.choice(("lost", "lost", "won", "warning_closed"))}
            if chance.random() < 0.7:
                yield event("charge.dispute.closed", day + 9, end)
            else:
                yield snapshot(end, day + 12)
        elif drawn < 0.8:
            note = {"id": f"cn_{name}", "object": "credit_note", "invoice": f"in_{name}", "created": at(day + 3)}
            note |= {"currency": made["currency"], "out_of_band_amount": chance.choice((0, 300)), "status": "issued"}
            yield event("credit_note.created", day + 3, note)
            if chance.random() < 0.3:
                yield event("credit_note.voided", day + 4, note | {"status": "void"})

    def _refunds(self, name: str, day: float, made: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """One or two, each told by itself, by its charge, by both, in full or in sum; some fail later."""
        chance = self.chance
        left, sum_told, listed = made["amount"], 0, []
        for part in range(chance.choice((1, 1, 2))):
            amount = left if chance.random() < 0.5 else left // 2
            if not amount:
                return
            left, sum_told, when = left - amount, sum_told + amount, day + 3 + part
            back = refund(f"{name}_{part}", when, amount=amount, currency=made["currency"], charge=made["id"])
            back |= {"payment_intent": made["payment_intent"]}
            listed.insert(0, back)
            way = chance.choice(("alone", "charge", "both", "listed"))
            if way in ("alone", "both"):
                yield event("refund.created", when, back | {"status": chance.choice(("pending", "succeeded"))})
                yield event("refund.updated", when, back)
            if way in ("charge", "both"):
                yield event("charge.refunded", when, made | {"amount_refunded": sum_told})
            if way == "listed":
                listing = {"refunds": {"object": "list", "data": list(listed)}}
                yield event("charge.refunded", when, made | {"amount_refunded": sum_told} | listing)
            if way != "charge" and chance.random() < 0.2:
                yield event("refund.failed", when + 5, back | {"status": "failed"})
                sum_told -= amount
                left += amount
                if chance.random() < 0.5:
                    yield event("charge.updated", when + 5, made | {"amount_refunded": sum_told})
