"""One life of a subscription as four generations of Stripe's API tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.dbt.stripes import (
    at,
    charge,
    dispute,
    event,
    invoice,
    invoice_of_2017,
    invoice_payment,
    refund,
    subscription,
    subscription_of_2017,
)

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


def _paid_of_2017(name: str, day: float) -> dict[str, Any]:
    """Paid is a flag, tax a sum, the charge stands on top; a line has a plan."""
    line = {"amount": 2900, "plan": {"id": "price_pro", "product": "prod_1", "name": "Pro"}}
    paid = invoice_of_2017(name, f"sub_{_life(name)}", day, customer=f"cus_{_life(name)}")
    return paid | {"charge": f"ch_{name}", "tax": 400, "lines": {"data": [line]}}


def _paid_of_2020(name: str, day: float) -> dict[str, Any]:
    """A status, taxes by rate, a charge and a payment intent; a line has a price, too."""
    line = {"amount": 2900, "price": {"id": "price_pro", "product": "prod_1", "nickname": "Pro"}}
    paid = invoice(name, None, day, customer=f"cus_{_life(name)}", subscription=f"sub_{_life(name)}")
    paid |= {"charge": f"ch_{name}", "payment_intent": f"pi_{name}", "lines": {"data": [line]}}
    return paid | {"total_tax_amounts": [{"amount": 300}, {"amount": 100}], "discount": None}


def _paid_of_2023(name: str, day: float) -> dict[str, Any]:
    """The same with discounts as a list."""
    return _paid_of_2020(name, day) | {"discounts": [], "total_discount_amounts": []}


def _paid_of_2025(name: str, day: float) -> dict[str, Any]:
    """The subscription in the parent, the price in the pricing; nothing says what paid it."""
    details = {"price_details": {"price": "price_pro", "product": "prod_1"}}
    paid = invoice(name, f"sub_{_life(name)}", day, customer=f"cus_{_life(name)}")
    return paid | {"total_taxes": [{"amount": 400}], "lines": {"data": [{"amount": 2900, "pricing": details}]}}


def _charge_of_old(name: str, day: float, **says: Any) -> dict[str, Any]:
    """It says which invoice it paid."""
    return charge(name, day, customer=f"cus_{_life(name)}", invoice=f"in_{name}", **says)


def _charge_of_2017(name: str, day: float, **says: Any) -> dict[str, Any]:
    """Without a payment intent and what was captured; its refunds are listed."""
    made = _charge_of_old(name, day, **says)
    back = refund(name, day + 2, amount=made["amount_refunded"])
    refunds = {"object": "list", "data": [back] if back["amount"] else []}
    return {key: value for key, value in made.items() if key not in ("payment_intent", "amount_captured")} | {
        "refunds": refunds
    }


def _charge_of_2025(name: str, day: float, **says: Any) -> dict[str, Any]:
    """It says nothing of an invoice."""
    return charge(name, day, customer=f"cus_{_life(name)}", **says)


def _life(name: str) -> str:
    return name.split(".")[0]


#: By name: how a subscription, a paid invoice and a charge are told.
GENERATIONS: dict[str, tuple[Callable[..., dict[str, Any]], ...]] = {
    "of_2017": (_of_2017, _paid_of_2017, _charge_of_2017),
    "of_2020": (_of_2020, _paid_of_2020, _charge_of_old),
    "of_2023": (_of_2023, _paid_of_2023, _charge_of_old),
    "of_2025": (_of_2025, _paid_of_2025, _charge_of_2025),
}


def generations() -> Iterator[dict[str, Any]]:
    """A trial that converts, seats at half the price, and a voluntary end; some of the money goes back."""
    for name, (told, paid, charged) in GENERATIONS.items():
        trial = {"trial_start": at(0), "trial_end": at(7)}
        halved = {"quantity": 3, "is_discounted": True, **trial}
        ended = {"status": "canceled", "ended_at": at(20), "canceled_at": at(20)}
        updated = "customer.subscription.updated"
        yield event("customer.subscription.created", 0, told(name, status="trialing", is_discounted=False, **trial))
        yield event(updated, 7, told(name, is_discounted=False, **trial), previous={"status": "trialing"})
        for number, day in enumerate((7, 12)):
            yield event("invoice.payment_succeeded", day, paid(f"{name}.{number}", day))
            yield event("charge.succeeded", day, charged(f"{name}.{number}", day))
            if name == "of_2025":
                yield event("invoice_payment.paid", day, invoice_payment(f"{name}.{number}"))
        yield event("charge.refunded", 9, charged(f"{name}.0", 7, amount_refunded=900))
        if name != "of_2017":
            yield event("refund.created", 9, refund(f"{name}.0", 9, amount=900))
        yield event("charge.dispute.closed", 15, dispute(f"{name}.1", 13, status="lost"))
        yield event(updated, 10, told(name, **halved))
        yield event("customer.subscription.deleted", 20, told(name, **halved, **ended))
