"""What Stripe keeps, as values: customers, subscriptions, invoices, charges, refunds, disputes; times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ingest.simulator.plans import Coupon, Price
from ingest.simulator.season import add_months

Status = Literal["incomplete", "incomplete_expired", "trialing", "active", "past_due", "unpaid", "paused", "canceled"]
Reason = Literal["subscription_create", "subscription_cycle", "subscription_update"]
#: Statuses that count in MRR by the default revenue policy.
_PAYING = ("active", "past_due")


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays; ``user_id`` is None where the application forgot to say so."""

    customer_id: str
    person: int
    email: str
    name: str
    country: str
    user_id: str | None
    created: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it is at one time; ``anchor`` is when its periods are counted from."""

    subscription_id: str
    item_id: str
    customer: Customer
    price: Price
    quantity: int
    status: Status
    created: int
    period_start: int
    period_end: int
    anchor: int
    trial_end: int | None = None
    coupon: Coupon | None = None
    cancel_at_period_end: bool = False
    canceled_at: int | None = None
    ended_at: int | None = None
    cancel_reason: str | None = None
    collection_paused: bool = False
    paused_at: int | None = None
    latest_invoice: str | None = None

    @property
    def discount_end(self) -> int | None:
        """When the discount ends; None for one without an end, and for none."""
        if self.coupon is None or self.coupon.months is None:
            return None
        return add_months(self.created, self.coupon.months, 31)

    def percent_off(self, at: int) -> int:
        """What a running discount takes off the price of each period at a time."""
        if self.coupon is None or self.coupon.duration == "once":
            return 0
        end = self.discount_end
        return self.coupon.percent_off if end is None or at < end else 0

    def takes_first_off(self, at: int) -> int:
        """What a discount that counts once takes off the first invoice that costs something."""
        is_first = at <= (self.trial_end or self.created)
        return self.coupon.percent_off if self.coupon and self.coupon.duration == "once" and is_first else 0

    def mrr(self, at: int) -> Decimal:
        """The monthly recurring revenue in major units of the currency, by the default revenue policy."""
        if self.status not in _PAYING or self.collection_paused:
            return Decimal(0)
        months = 12 if self.price.interval == "year" else 1
        minor = Decimal(self.price.unit_amount * self.quantity * (100 - self.percent_off(at))) / (100 * months)
        return minor / 100


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice; ``proration`` where a change in mid-period made it."""

    price: Price
    quantity: int
    amount: int
    period_start: int
    period_end: int
    proration: bool = False


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as it is at one time; amounts in minor units."""

    invoice_id: str
    subscription: Subscription
    created: int
    reason: Reason
    lines: tuple[Line, ...]
    discount: int
    status: Literal["draft", "open", "paid", "void", "uncollectible"]
    attempts: int = 0
    paid_at: int | None = None
    charge_id: str | None = None
    retry_at: int | None = None

    @property
    def subtotal(self) -> int:
        """The sum of the lines."""
        return sum(line.amount for line in self.lines)

    @property
    def total(self) -> int:
        """What is due."""
        return self.subtotal - self.discount


@dataclass(frozen=True, slots=True)
class Charge:
    """An attempt to take money from a card."""

    charge_id: str
    invoice: Invoice
    created: int
    succeeded: bool
    refunded: int = 0
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back."""

    refund_id: str
    charge: Charge
    amount: int
    created: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """A charge that the owner of the card contests."""

    dispute_id: str
    charge: Charge
    created: int
    status: Literal["needs_response", "won", "lost"]


@dataclass(frozen=True, slots=True)
class Told:
    """One event of Stripe: what happened to which object, and what the subscription or invoice was before."""

    created: int
    type: str
    what: Customer | Subscription | Invoice | Charge | Refund | Dispute
    before: Subscription | Invoice | Charge | None = None
