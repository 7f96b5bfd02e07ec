"""Invoices, charges, refunds and disputes as Stripe's API writes them."""

from __future__ import annotations

from ingest.simulator.ledger import Charge, Dispute, Invoice, Line, Refund
from ingest.simulator.stripe_prices import JsonMap, Shape, plan, price


def invoice(one: Invoice, shape: Shape) -> JsonMap:
    """An invoice: the new shape says through its parent which subscription it is for."""
    owner, paid = one.subscription, one.status == "paid"
    made = {
        "id": one.invoice_id,
        "object": "invoice",
        "amount_due": one.total,
        "amount_paid": one.total if paid else 0,
        "amount_remaining": 0 if paid else one.total,
        "attempt_count": one.attempts,
        "attempted": one.attempts > 0 or paid,
        "auto_advance": not paid,
        "billing_reason": one.reason,
        "collection_method": "charge_automatically",
        "created": one.created,
        "currency": owner.price.currency,
        "customer": owner.customer.customer_id,
        "customer_email": owner.customer.email,
        "lines": {
            "object": "list",
            "data": [_line(one, line, number, shape) for number, line in enumerate(one.lines)],
            "has_more": False,
            "url": f"/v1/invoices/{one.invoice_id}/lines",
        },
        "livemode": True,
        "metadata": {},
        "next_payment_attempt": one.retry_at if one.status == "open" else None,
        "number": None if one.status == "draft" else f"{owner.customer.customer_id[-8:].upper()}-{one.invoice_id[-4:]}",
        "period_end": one.created,
        "period_start": owner.period_start,
        "status": one.status,
        "status_transitions": {
            "finalized_at": None if one.status == "draft" else one.created,
            "marked_uncollectible_at": None,
            "paid_at": one.paid_at,
            "voided_at": one.created if one.status == "void" else None,
        },
        "subtotal": one.subtotal,
        "total": one.total,
        "total_discount_amounts": [{"amount": one.discount, "discount": f"di_{owner.subscription_id[4:]}"}]
        if one.discount
        else [],
    }
    if shape is Shape.OLD:
        intent = one.charge_id and one.charge_id.replace("ch_", "pi_")
        payment = {"charge": one.charge_id, "payment_intent": intent, "paid": paid}
        return made | payment | {"subscription": owner.subscription_id, "discount": None, "tax": None}
    details: JsonMap = {"subscription": owner.subscription_id, "metadata": {}}
    parent = {"type": "subscription_details", "quote_details": None, "subscription_details": details}
    return made | {"parent": parent, "discounts": [], "total_taxes": []}


def _line(one: Invoice, line: Line, number: int, shape: Shape) -> JsonMap:
    owner, is_last = one.subscription, number == len(one.lines) - 1
    made = {
        "id": f"il_{one.invoice_id[5:]}{number}",
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price.currency,
        "description": f"{line.quantity} × {line.price.product.name}",
        "discount_amounts": [{"amount": one.discount}] if one.discount and is_last else [],
        "discountable": not line.proration,
        "invoice": one.invoice_id,
        "livemode": True,
        "metadata": {},
        "period": {"end": line.period_end, "start": line.period_start},
        "quantity": line.quantity,
    }
    if shape is Shape.OLD:
        return made | {
            "plan": plan(line.price),
            "price": price(line.price),
            "proration": line.proration,
            "subscription": owner.subscription_id,
            "subscription_item": owner.item_id,
            "tax_amounts": [],
            "type": "subscription",
        }
    item = {"proration": line.proration, "subscription": owner.subscription_id, "subscription_item": owner.item_id}
    return made | {
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {"invoice_item": None, **item},
        },
        "pricing": {
            "type": "price_details",
            "price_details": {"price": line.price.price_id, "product": line.price.product.product_id},
            "unit_amount_decimal": str(line.price.unit_amount),
        },
        "subtotal": line.amount,
        "taxes": [],
    }


def charge(one: Charge, shape: Shape) -> JsonMap:
    """A charge: only the old shape says for which invoice it is."""
    amount, owner = one.invoice.total, one.invoice.subscription.customer
    made = {
        "id": one.charge_id,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if one.succeeded else 0,
        "amount_refunded": one.refunded,
        "billing_details": {"email": owner.email, "name": owner.name},
        "captured": one.succeeded,
        "created": one.created,
        "currency": one.invoice.subscription.price.currency,
        "customer": owner.customer_id,
        "disputed": one.disputed,
        "failure_code": None if one.succeeded else "card_declined",
        "livemode": True,
        "metadata": {},
        "paid": one.succeeded,
        "payment_intent": one.charge_id.replace("ch_", "pi_"),
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "country": owner.country}},
        "refunded": one.refunded == amount,
        "status": "succeeded" if one.succeeded else "failed",
    }
    return made | {"invoice": one.invoice.invoice_id} if shape is Shape.OLD else made


def refund(one: Refund) -> JsonMap:
    """A refund."""
    return {
        "id": one.refund_id,
        "object": "refund",
        "amount": one.amount,
        "charge": one.charge.charge_id,
        "created": one.created,
        "currency": one.charge.invoice.subscription.price.currency,
        "metadata": {},
        "payment_intent": one.charge.charge_id.replace("ch_", "pi_"),
        "reason": "requested_by_customer",
        "status": "succeeded",
    }


def dispute(one: Dispute) -> JsonMap:
    """A dispute."""
    return {
        "id": one.dispute_id,
        "object": "dispute",
        "amount": one.charge.invoice.total,
        "charge": one.charge.charge_id,
        "created": one.created,
        "currency": one.charge.invoice.subscription.price.currency,
        "is_charge_refundable": False,
        "livemode": True,
        "metadata": {},
        "payment_intent": one.charge.charge_id.replace("ch_", "pi_"),
        "reason": "fraudulent",
        "status": one.status,
    }
