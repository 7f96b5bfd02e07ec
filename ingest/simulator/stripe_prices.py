"""What is for sale as Stripe's API writes it: products, prices, plans, coupons.

The API is written as of 2020-08-27 and as of 2026-10-28.endive; what differs between the two is in the functions that
take a ``Shape``. Fields that nobody reads are left out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from ingest.simulator.plans import Coupon, Price, Product

JsonMap = dict[str, Any]
_CREATED = 1_700_000_000  # products, prices and coupons are older than the world


class Shape(StrEnum):
    """The version of the API, which decides where things stand."""

    OLD = "2020-08-27"
    NEW = "2026-10-28.endive"


def product(one: Product) -> JsonMap:
    """A product."""
    return {
        "id": one.product_id,
        "object": "product",
        "active": True,
        "created": _CREATED,
        "livemode": True,
        "metadata": {},
        "name": one.name,
        "type": "service",
        "unit_label": "seat" if one.by_seat else None,
        "updated": _CREATED,
    }


def price(one: Price) -> JsonMap:
    """A price."""
    return {
        "id": one.price_id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": _CREATED,
        "currency": one.currency,
        "livemode": True,
        "lookup_key": None,
        "metadata": {},
        "nickname": f"{one.product.name} {one.interval}",
        "product": one.product.product_id,
        "recurring": {
            "interval": one.interval,
            "interval_count": 1,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": one.unit_amount,
        "unit_amount_decimal": str(one.unit_amount),
    }


def coupon(one: Coupon) -> JsonMap:
    """A coupon."""
    return {
        "id": one.coupon_id,
        "object": "coupon",
        "amount_off": None,
        "created": _CREATED,
        "currency": None,
        "duration": one.duration,
        "duration_in_months": one.months,
        "livemode": True,
        "metadata": {},
        "name": one.coupon_id.title(),
        "percent_off": float(one.percent_off),
        "valid": True,
    }


def plan(one: Price) -> JsonMap:
    """A price in the form that came before prices."""
    return {
        "id": one.price_id,
        "object": "plan",
        "active": True,
        "amount": one.unit_amount,
        "billing_scheme": "per_unit",
        "currency": one.currency,
        "interval": one.interval,
        "interval_count": 1,
        "product": one.product.product_id,
        "usage_type": "licensed",
    }
