"""The life of a paying customer, as Stripe would tell it: from the first trial to the last cancellation, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import numpy as np

from ingest.simulator.draws import Draws
from ingest.simulator.ledger import Charge, Customer, Dispute, Invoice, Line, Reason, Refund, Status, Subscription, Told
from ingest.simulator.plans import COUPONS, CREATOR, STUDIO, TEAM, TRIAL_DAYS, Price, price_of
from ingest.simulator.season import add_months

_DAY, _HOUR = 86_400, 3_600
#: Days after a failed payment on which Stripe tries again.
_RETRIES = (3, 5, 7)


@dataclass(frozen=True)
class Terms:
    """Who subscribes and when: ``begin`` in seconds, up to ``end``; endive features exist from ``modern_from`` on."""

    customer: Customer
    begin: int
    end: int
    currency: str
    modern_from: int
    loyal: float


def life(terms: Terms, rng: np.random.Generator) -> list[Told]:
    """All that Stripe tells of a customer before the end, in the order of time."""
    told = _Life(terms, rng).told()
    return sorted((event for event in told if event.created < terms.end), key=lambda event: event.created)


class _Life:
    """Draws one life; each method tells what happens in a stretch of it and moves the subscription on."""

    def __init__(self, terms: Terms, rng: np.random.Generator) -> None:
        self._terms = terms
        self._draw = Draws(rng, terms.customer.customer_id)
        self._changed_at = 0
        self._now: Subscription

    def told(self) -> Iterator[Told]:
        """Everything, also what lies beyond the end."""
        yield Told(self._terms.customer.created, "customer.created", self._terms.customer)
        begin, first = self._terms.begin, True
        while begin < self._terms.end:
            yield from self._subscribe(begin, may_try=first)
            while self._now.ended_at is None and self._now.period_start < self._terms.end:
                yield from self._period()
                if self._now.ended_at is None:
                    yield from self._renew()
            if self._now.ended_at is None or not self._draw.happens(0.25):
                return
            begin, first = self._now.ended_at + self._draw.wait(15, 120, _DAY), False

    def _subscribe(self, at: int, *, may_try: bool) -> Iterator[Told]:
        price = self._first_price()
        tries = may_try and self._draw.happens(0.55)
        trial_end = at + TRIAL_DAYS * _DAY if tries else None
        self._now = Subscription(
            subscription_id=self._draw.new_id("sub_1"),
            item_id=self._draw.new_id("si_"),
            customer=self._terms.customer,
            price=price,
            quantity=self._draw.whole(2, 9) if price.product.by_seat else 1,
            status="trialing" if tries else "incomplete",
            created=at,
            period_start=at,
            period_end=trial_end or _period_end(at, at, price),
            anchor=trial_end or at,
            trial_end=trial_end,
            coupon=COUPONS[self._draw.whole(0, len(COUPONS) - 1)] if self._draw.happens(0.16) else None,
        )
        invoice = self._invoice(at, "subscription_create")
        self._now = replace(self._now, latest_invoice=invoice.invoice_id)
        yield Told(at, "customer.subscription.created", self._now)
        yield Told(at, "invoice.created", invoice)
        if not tries and self._draw.happens(0.04):
            yield from self._fail(invoice, at + 1, self._now)
            yield self._change(at + 23 * _HOUR, status="incomplete_expired", ended_at=at + 23 * _HOUR)
            return
        yield from self._succeed(invoice, at + 2)
        if not tries:
            yield self._change(at + 3, status="active")

    def _period(self) -> Iterator[Told]:
        """What happens between two renewals, or before the first: at most one thing."""
        start, end = max(self._now.period_start, self._changed_at), self._now.period_end
        at = start + int((end - start) * (0.05 + 0.7 * self._draw.share()))
        if self._now.status == "trialing":
            if self._draw.happens(0.35):
                yield self._change(
                    at, cancel_at_period_end=True, canceled_at=at, cancel_reason="cancellation_requested"
                )
            yield Told(end - 3 * _DAY, "customer.subscription.trial_will_end", self._now)
            return
        if self._now.collection_paused:
            if self._draw.happens(0.5):
                yield self._change(at, collection_paused=False)
            return
        months = 12 if self._now.price.interval == "year" else 1
        chance = self._draw.share()
        leaves = 1 - (1 - 0.075 * (1.4 - self._terms.loyal)) ** months
        for share, happens in (
            (leaves, self._leave),
            (0.03 * months, self._switch_plan),
            (0.02 * months, self._switch_interval),
            (0.08 * months if self._now.price.product.by_seat else 0.0, self._change_seats),
            (0.012 * months, self._pause_collection),
            (0.012 * months, self._pause),
        ):
            if chance < share:
                yield from happens(at)
                return
            chance -= share

    def _leave(self, at: int) -> Iterator[Told]:
        asked: dict[str, Any] = {"canceled_at": at, "cancel_reason": "cancellation_requested"}
        if self._draw.happens(0.1):
            yield self._change(at, type_="customer.subscription.deleted", status="canceled", ended_at=at, **asked)
            return
        yield self._change(at, cancel_at_period_end=True, **asked)
        if self._draw.happens(0.15):
            back = at + (self._now.period_end - at) // 2
            yield self._change(back, cancel_at_period_end=False, canceled_at=None, cancel_reason=None)

    def _switch_plan(self, at: int) -> Iterator[Told]:
        """An upgrade is paid at once; a downgrade costs less from now on, with what is left credited later."""
        old = self._now.price
        up = old.product is CREATOR
        product = STUDIO if up else CREATOR
        if old.product is TEAM:
            return
        price = price_of(product, old.currency, old.interval)
        yield self._change(at, price=price)
        if not up:
            return
        left = (self._now.period_end - at) / (self._now.period_end - self._now.period_start)
        lines = tuple(
            Line(
                one, self._now.quantity, round(sign * one.unit_amount * left), at, self._now.period_end, proration=True
            )
            for sign, one in ((-1, old), (1, price))
        )
        invoice = replace(self._invoice(at, "subscription_update"), lines=lines, discount=0)
        yield Told(at, "invoice.created", invoice)
        yield from self._succeed(invoice, at + 2)

    def _switch_interval(self, at: int) -> Iterator[Told]:
        """From month to year: a new period begins now."""
        if self._now.price.interval == "year":
            return
        price = price_of(self._now.price.product, self._now.price.currency, "year")
        yield self._change(at, price=price, anchor=at, period_start=at, period_end=_period_end(at, at, price))
        invoice = self._invoice(at, "subscription_update")
        yield Told(at, "invoice.created", invoice)
        yield from self._succeed(invoice, at + 2)

    def _change_seats(self, at: int) -> Iterator[Told]:
        more = self._now.quantity + (self._draw.whole(1, 3) if self._draw.happens(0.65) else -1)
        yield self._change(at, quantity=max(more, 1))

    def _pause_collection(self, at: int) -> Iterator[Told]:
        yield self._change(at, collection_paused=True)

    def _pause(self, at: int) -> Iterator[Told]:
        """A pause on demand, which only the modern API knows; the period begins anew when it ends."""
        if at < self._terms.modern_from:
            return
        yield self._change(at, status="paused", paused_at=at)
        yield Told(at, "customer.subscription.paused", self._now)
        again = at + self._draw.wait(10, 70, _DAY)
        period_end = _period_end(again, again, self._now.price)
        yield self._change(
            again, status="active", paused_at=None, anchor=again, period_start=again, period_end=period_end
        )
        yield Told(again, "customer.subscription.resumed", self._now)
        invoice = self._invoice(again, "subscription_cycle")
        yield Told(again, "invoice.created", invoice)
        yield from self._succeed(invoice, again + 2)

    def _renew(self) -> Iterator[Told]:
        """The end of a period: the subscription ends, or the next period is paid, or it is not."""
        at = self._now.period_end
        if self._now.cancel_at_period_end:
            yield self._change(at, type_="customer.subscription.deleted", status="canceled", ended_at=at)
            return
        period: dict[str, Any] = {"period_start": at, "period_end": _period_end(at, self._now.anchor, self._now.price)}
        invoice = self._invoice(at, "subscription_cycle", **period)
        was_trial = self._now.status == "trialing"
        status: Status = "active" if was_trial else self._now.status
        yield self._change(at, status=status, latest_invoice=invoice.invoice_id, **period)
        yield Told(at, "invoice.created", invoice)
        if self._now.collection_paused:
            void = replace(invoice, status="void")
            yield Told(at + _HOUR, "invoice.voided", void, invoice)
        elif self._draw.happens(0.13 if was_trial else 0.05):
            yield from self._dun(invoice, at + _HOUR)
        else:
            yield from self._succeed(invoice, at + _HOUR)

    def _dun(self, invoice: Invoice, at: int) -> Iterator[Told]:
        """A failed payment, the attempts after it, and what comes of it."""
        yield from self._fail(invoice, at, self._now)
        yield self._change(at, status="past_due")
        for attempt, days in enumerate(_RETRIES, start=2):
            at += days * _DAY
            if self._draw.happens(0.45):
                yield from self._succeed(replace(invoice, attempts=attempt - 1), at)
                yield self._change(at, status="active")
                return
            yield from self._fail(replace(invoice, attempts=attempt - 1), at, self._now)
        ended: dict[str, Any] = {"canceled_at": at, "ended_at": at, "cancel_reason": "payment_failed"}
        if self._draw.happens(0.4):
            yield self._change(at, status="unpaid")
            at += 10 * _DAY
            ended |= {"canceled_at": at, "ended_at": at}
        yield self._change(at, type_="customer.subscription.deleted", status="canceled", **ended)

    def _succeed(self, invoice: Invoice, at: int) -> Iterator[Told]:
        """The money comes in; nothing is charged for nothing."""
        charge_id = self._draw.new_id("ch_3") if invoice.total > 0 else None
        paid = replace(
            invoice, status="paid", paid_at=at, charge_id=charge_id, attempts=invoice.attempts + bool(charge_id)
        )
        charge = Charge(charge_id, paid, at, succeeded=True) if charge_id else None
        if charge:
            yield Told(at, "charge.succeeded", charge)
        yield Told(at, "invoice.paid", paid, invoice)
        yield Told(at, "invoice.payment_succeeded", paid, invoice)
        if charge:
            yield from self._afterwards(charge)

    def _afterwards(self, charge: Charge) -> Iterator[Told]:
        """A refund or a dispute, rarely."""
        chance, at = self._draw.share(), charge.created + self._draw.wait(1, 25, _DAY)
        amount = charge.invoice.total
        if chance < 0.014:
            amount = amount if chance < 0.009 else amount // 2
            refunded = replace(charge, refunded=amount)
            yield Told(at, "refund.created", Refund(self._draw.new_id("re_3"), refunded, amount, at))
            yield Told(at, "charge.refunded", refunded, charge)
        elif chance < 0.02:
            disputed = replace(charge, disputed=True)
            dispute = Dispute(self._draw.new_id("dp_1"), disputed, at, "needs_response")
            yield Told(at, "charge.dispute.created", dispute)
            closed = at + self._draw.wait(12, 60, _DAY)
            yield Told(
                closed, "charge.dispute.closed", replace(dispute, status="lost" if self._draw.happens(0.6) else "won")
            )

    def _fail(self, invoice: Invoice, at: int, subscription: Subscription) -> Iterator[Told]:
        retry = at + _RETRIES[invoice.attempts] * _DAY if invoice.attempts < len(_RETRIES) else None
        opened = replace(
            invoice, subscription=subscription, status="open", attempts=invoice.attempts + 1, retry_at=retry
        )
        yield Told(at, "charge.failed", Charge(self._draw.new_id("ch_3"), opened, at, succeeded=False))
        yield Told(at, "invoice.payment_failed", opened, invoice)

    def _invoice(
        self, at: int, reason: Reason, period_start: int | None = None, period_end: int | None = None
    ) -> Invoice:
        """A draft for a whole period of the present terms; a trial costs nothing."""
        now = self._now
        amount = 0 if now.status == "trialing" and reason == "subscription_create" else now.price.unit_amount
        line = Line(
            now.price,
            now.quantity,
            amount * now.quantity,
            period_start or now.period_start,
            period_end or now.period_end,
        )
        percent = now.percent_off(at) or now.takes_first_off(at)
        return Invoice(self._draw.new_id("in_1"), now, at, reason, (line,), line.amount * percent // 100, "draft")

    def _change(self, at: int, *, type_: str = "customer.subscription.updated", **changes: Any) -> Told:
        before = self._now
        self._now, self._changed_at = replace(before, **changes), at
        return Told(at, type_, self._now, None if type_.endswith("deleted") else before)

    def _first_price(self) -> Price:
        chance = self._draw.share()
        product = CREATOR if chance < 0.55 else STUDIO if chance < 0.82 else TEAM
        return price_of(product, self._terms.currency, "year" if self._draw.happens(0.22) else "month")


def _period_end(at: int, anchor: int, price: Price) -> int:
    day = datetime.fromtimestamp(anchor, tz=timezone.utc).day
    return add_months(at, 12 if price.interval == "year" else 1, day)
