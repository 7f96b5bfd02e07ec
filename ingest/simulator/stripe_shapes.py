"""Customers and subscriptions as Stripe's API writes them, and any object by its kind."""

from __future__ import annotations

from typing import Any

from ingest.simulator.ledger import Charge, Customer, Dispute, Invoice, Refund, Subscription
from ingest.simulator.plans import Price, Product
from ingest.simulator.stripe_money import charge, dispute, invoice, refund
from ingest.simulator.stripe_prices import JsonMap, Shape, coupon, plan, price, product


def object_of(what: Any, shape: Shape, at: int) -> JsonMap:
    """Any object as it is shown in an event at a time, in seconds."""
    match what:
        case Customer():
            return customer(what)
        case Subscription():
            return subscription(what, shape, at)
        case Invoice():
            return invoice(what, shape)
        case Charge():
            return charge(what, shape)
        case Refund():
            return refund(what)
        case Dispute():
            return dispute(what)
        case Product():
            return product(what)
        case Price():
            return price(what)
    raise TypeError(f"Stripe has no {type(what).__name__}")


def previous_attributes(before: JsonMap, after: JsonMap) -> JsonMap:
    """The old values of what has changed."""
    return {key: value for key, value in before.items() if after.get(key) != value}


def customer(one: Customer) -> JsonMap:
    """A customer."""
    return {
        "id": one.customer_id,
        "object": "customer",
        "address": {"country": one.country},
        "balance": 0,
        "created": one.created,
        "currency": None,
        "delinquent": False,
        "description": None,
        "email": one.email,
        "invoice_prefix": one.customer_id[-8:].upper(),
        "livemode": True,
        "metadata": {"user_id": one.user_id} if one.user_id else {},
        "name": one.name,
        "phone": None,
    }


def _discount(one: Subscription, shape: Shape, at: int) -> JsonMap | None:
    """The discount of a subscription while it runs."""
    if one.coupon is None or not (one.percent_off(at) or one.takes_first_off(at)):
        return None
    made = coupon(one.coupon)
    source = {"coupon": made} if shape is Shape.OLD else {"source": {"type": "coupon", "coupon": made}}
    return {
        "id": f"di_{one.subscription_id[4:]}",
        "object": "discount",
        **source,
        "customer": one.customer.customer_id,
        "end": one.discount_end,
        "start": one.created,
        "subscription": one.subscription_id,
    }


def subscription(one: Subscription, shape: Shape, at: int) -> JsonMap:
    """A subscription: the period stands on it in the old shape, on its item in the new one."""
    period = {"current_period_end": one.period_end, "current_period_start": one.period_start}
    item = {
        "id": one.item_id,
        "object": "subscription_item",
        "created": one.created,
        "metadata": {},
        "plan": plan(one.price),
        "price": price(one.price),
        "quantity": one.quantity,
        "subscription": one.subscription_id,
        **(period if shape is Shape.NEW else {}),
    }
    discount = _discount(one, shape, at)
    made = {
        "id": one.subscription_id,
        "object": "subscription",
        "billing_cycle_anchor": one.anchor,
        "cancel_at": one.period_end if one.cancel_at_period_end else None,
        "cancel_at_period_end": one.cancel_at_period_end,
        "canceled_at": one.canceled_at,
        "collection_method": "charge_automatically",
        "created": one.created,
        "customer": one.customer.customer_id,
        "ended_at": one.ended_at,
        "items": {
            "object": "list",
            "data": [item],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={one.subscription_id}",
        },
        "latest_invoice": one.latest_invoice,
        "livemode": True,
        "metadata": {},
        "pause_collection": {"behavior": "void", "resumes_at": None} if one.collection_paused else None,
        "start_date": one.created,
        "status": one.status,
        "trial_end": one.trial_end,
        "trial_start": one.created if one.trial_end else None,
    }
    if shape is Shape.OLD:
        return made | period | {"discount": discount, "plan": plan(one.price), "quantity": one.quantity}
    paused = {"transitioned_at": one.paused_at, "subscription": {"type": "pause_requested"}} if one.paused_at else None
    return made | {
        "billing_mode": {"type": "flexible", "updated_at": None},
        "cancellation_details": {"comment": None, "feedback": None, "reason": one.cancel_reason},
        "currency": one.price.currency,
        "discounts": [discount] if discount else [],
        "status_details": {"paused": paused},
    }
