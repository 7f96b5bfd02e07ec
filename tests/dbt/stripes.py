"""Builders of what Stripe tells: events and objects of subscriptions, invoices and customers, old and new in shape."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any

from ingest.reasons import RefusedRow
from ingest.stripecheck import StripeRules, check_text
from ingest.times import TimeRange

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)


def day(number: float) -> datetime:
    """A moment so many days after the beginning."""
    return BEGIN + timedelta(days=number)


def at(day: float) -> int:
    """Seconds since 1970 of a day after the beginning."""
    return int((BEGIN + timedelta(days=day)).timestamp())


def told(body: dict[str, Any], fetched_day: float | None = None) -> dict[str, Any]:
    """A landed delivery of a body, as the ingest would have made it."""
    received_at = None if fetched_day is None else BEGIN + timedelta(days=fetched_day)
    (row,) = check_text(json.dumps(body), 1, StripeRules(TimeRange.at(NOW), received_at))
    assert not isinstance(row, RefusedRow), row
    return row | {"body_key": int(hashlib.sha256(row["body"].encode()).hexdigest()[:15], 16)}


def event(kind: str, day: float, carried: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A landed event; ``previous`` is what an update changed, ``account`` and ``livemode`` whose it is."""
    data = {"object": carried}
    if previous := changes.pop("previous", None):
        data["previous_attributes"] = previous
    body = {
        "id": f"evt_{kind}_{day}_{carried['id']}",
        "object": "event",
        "type": kind,
        "created": at(day),
        "livemode": True,
        "data": data,
    }
    return told(body | changes)


def snapshot(carried: dict[str, Any], day: float, **changes: Any) -> dict[str, Any]:
    """A landed object as the API answered it on a day."""
    return told({"livemode": True, **carried, **changes}, fetched_day=day)


def subscription(name: str = "1", **changes: Any) -> dict[str, Any]:
    """A running subscription in the newest shape: the period stands on the item, the price holds no plan."""
    item = {
        "id": f"si_{name}",
        "object": "subscription_item",
        "quantity": changes.pop("quantity", 1),
        "current_period_start": at(0),
        "current_period_end": at(31),
        "price": {
            "id": changes.pop("plan_id", "price_pro"),
            "object": "price",
            "currency": changes.pop("currency", "usd"),
            "nickname": "Pro",
            "product": "prod_1",
            "recurring": {"interval": changes.pop("interval", "month"), "interval_count": changes.pop("count", 1)},
            "unit_amount": changes.pop("amount", 2900),
        },
    }
    item["price"]["unit_amount_decimal"] = str(item["price"]["unit_amount"])
    fields = {
        "id": f"sub_{name}",
        "object": "subscription",
        "customer": f"cus_{name}",
        "status": "active",
        "created": at(0),
        "start_date": at(0),
        "currency": item["price"]["currency"],
        "items": {"object": "list", "data": [item], "has_more": False},
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "discounts": [],
        "metadata": {},
    }
    return fields | changes


def subscription_of_2017(name: str = "1", **changes: Any) -> dict[str, Any]:
    """The same subscription as it was told in 2017: one plan on top, no price, no start date, a discount at most."""
    plan = {
        "id": changes.pop("plan_id", "price_pro"),
        "object": "plan",
        "amount": changes.pop("amount", 2900),
        "currency": "usd",
        "interval": "month",
        "interval_count": 1,
        "name": "Pro",
    }
    quantity = changes.pop("quantity", 1)
    fields = {
        "id": f"sub_{name}",
        "object": "subscription",
        "customer": f"cus_{name}",
        "status": "active",
        "created": at(0),
        "start": at(0),
        "current_period_start": at(0),
        "current_period_end": at(31),
        "items": {"object": "list", "data": [{"id": f"si_{name}", "plan": plan, "quantity": quantity}]},
        "plan": plan,
        "quantity": quantity,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "discount": None,
        "metadata": {},
    }
    return fields | changes


def invoice(name: str = "1", subscription_id: str | None = "sub_1", day: float = 0, **changes: Any) -> dict[str, Any]:
    """A paid invoice in the newest shape."""
    parent = {"type": "subscription_details", "subscription_details": {"subscription": subscription_id}}
    fields = {
        "id": f"in_{name}",
        "object": "invoice",
        "customer": "cus_1",
        "currency": "usd",
        "status": "paid",
        "amount_paid": 2900,
        "attempt_count": 1,
        "billing_reason": "subscription_cycle",
        "created": at(day),
        "parent": parent if subscription_id else None,
        "status_transitions": {"paid_at": at(day)},
    }
    return fields | changes


def invoice_of_2017(
    name: str = "1", subscription_id: str | None = "sub_1", day: float = 0, **changes: Any
) -> dict[str, Any]:
    """The same invoice as it was told in 2017: paid is a flag, and the subscription stands on top."""
    fields = {
        "id": f"in_{name}",
        "object": "invoice",
        "customer": "cus_1",
        "currency": "usd",
        "paid": True,
        "amount_paid": 2900,
        "attempt_count": 1,
        "billing_reason": "subscription_cycle",
        "date": at(day),
        "subscription": subscription_id,
    }
    return fields | changes


def customer(number: str = "1", **changes: Any) -> dict[str, Any]:
    """A customer."""
    fields = {
        "id": f"cus_{number}",
        "object": "customer",
        "created": at(0),
        "email": None,
        "name": None,
        "metadata": {},
    }
    return fields | changes


def charge(name: str = "1", day: float = 0, **changes: Any) -> dict[str, Any]:
    """A charge that succeeded, in the newest shape: nothing says which invoice it paid."""
    fields = {
        "id": f"ch_{name}",
        "object": "charge",
        "amount": 2900,
        "amount_captured": changes.get("amount", 2900),
        "amount_refunded": 0,
        "balance_transaction": f"txn_{name}",
        "created": at(day),
        "currency": "usd",
        "customer": "cus_1",
        "paid": True,
        "payment_intent": f"pi_{name}",
        "status": "succeeded",
    }
    return fields | changes


def refund(name: str = "1", day: float = 0, **changes: Any) -> dict[str, Any]:
    """A refund of the charge of its name."""
    fields = {
        "id": f"re_{name}",
        "object": "refund",
        "amount": 2900,
        "charge": f"ch_{name}",
        "created": at(day),
        "currency": "usd",
        "payment_intent": f"pi_{name}",
        "status": "succeeded",
    }
    return fields | changes


def dispute(name: str = "1", day: float = 0, **changes: Any) -> dict[str, Any]:
    """A dispute of the charge of its name."""
    fields = {
        "id": f"dp_{name}",
        "object": "dispute",
        "amount": 2900,
        "balance_transactions": [],
        "charge": f"ch_{name}",
        "created": at(day),
        "currency": "usd",
        "payment_intent": f"pi_{name}",
        "status": "needs_response",
    }
    return fields | changes


def invoice_payment(name: str = "1", **changes: Any) -> dict[str, Any]:
    """What says which invoice a payment intent paid, since charges do not."""
    fields = {
        "id": f"inpay_{name}",
        "object": "invoice_payment",
        "invoice": f"in_{name}",
        "payment": {"type": "payment_intent", "payment_intent": f"pi_{name}"},
        "status": "paid",
    }
    return fields | changes
