"""One life of a subscription as four generations of Stripe's API tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.dbt.stripes import at, event, invoice, invoice_of_2017, subscription, subscription_of_2017

COUPON = {"id": "half", "duration": "forever", "percent_off": 50.0, "amount_off": None, "currency": None}
_DISCOUNT = {"id": "di_1", "object": "discount", "start": at(10), "end": None}
_DETAILS = {"reason": "cancellation_requested", "feedback": None, "comment": None}


def _of_2017(name: str, *, is_discounted: bool, **says: Any) -> dict[str, Any]:
    """A plan on top, one discount without an id."""
    discount = {"object": "discount", "coupon": COUPON, "start": at(10), "end": None} if is_discounted else None
    return subscription_of_2017(name, discount=discount, **says)


def _of_2020(name: str, *, is_discounted: bool, **says: Any) -> dict[str, Any]:
    """Price and plan on the item, the period on top, one discount."""
    made = _without_period_on_item(subscription(name, **says))
    (item,) = made["items"]["data"]
    item["plan"] = {"id": item["price"]["id"], "object": "plan", "amount": 2900, "interval": "month", "currency": "usd"}
    del made["discounts"]
    return made | {"plan": item["plan"], "discount": {**_DISCOUNT, "coupon": COUPON} if is_discounted else None}


def _of_2023(name: str, *, is_discounted: bool, **says: Any) -> dict[str, Any]:
    """Discounts in full, the period on top, details of the cancellation."""
    made = _without_period_on_item(subscription(name, **says)) | {"cancellation_details": _DETAILS}
    return made | {"discounts": [{**_DISCOUNT, "coupon": COUPON}] if is_discounted else []}


def _of_2025(name: str, *, is_discounted: bool, **says: Any) -> dict[str, Any]:
    """The period on the item, flexible billing, the coupon inside of the discount's source."""
    made = subscription(name, **says) | {"cancellation_details": _DETAILS, "billing_mode": {"type": "flexible"}}
    source = {"type": "coupon", "coupon": COUPON}
    return made | {"discounts": [{**_DISCOUNT, "source": source}] if is_discounted else []}


def _without_period_on_item(made: dict[str, Any]) -> dict[str, Any]:
    (item,) = made["items"]["data"]
    return made | {name: item.pop(name) for name in ("current_period_start", "current_period_end")}


#: By name: how a subscription and an invoice are told.
GENERATIONS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[..., dict[str, Any]]]] = {
    "of_2017": (_of_2017, invoice_of_2017),
    "of_2020": (_of_2020, invoice_of_2017),
    "of_2023": (_of_2023, invoice_of_2017),
    "of_2025": (_of_2025, invoice),
}


def generations() -> Iterator[dict[str, Any]]:
    """A trial that converts, seats at half the price, and a voluntary end."""
    for name, (told, billed) in GENERATIONS.items():
        trial = {"trial_start": at(0), "trial_end": at(7)}
        halved = {"quantity": 3, "is_discounted": True, **trial}
        ended = {"status": "canceled", "ended_at": at(20), "canceled_at": at(20)}
        updated = "customer.subscription.updated"
        yield event("customer.subscription.created", 0, told(name, status="trialing", is_discounted=False, **trial))
        yield event(updated, 7, told(name, is_discounted=False, **trial), previous={"status": "trialing"})
        yield event("invoice.payment_succeeded", 7, billed(name, f"sub_{name}", 7, customer=f"cus_{name}"))
        yield event(updated, 10, told(name, **halved))
        yield event("customer.subscription.deleted", 20, told(name, **halved, **ended))
