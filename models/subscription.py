"""What somebody pays: the roll-up of one subscription."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from models.base import Moment, Shape

SubscriptionStatus = Literal["active", "past_due", "cancelled", "refunded", "paused"]


class Subscription(Shape):
    """A subscription in its latest state; money is in major units of ``currency``."""

    subscription_id: UUID
    person_id: UUID
    stripe_subscription_id: str | None = None

    plan_id: str
    plan_name: str
    price: Decimal
    currency: str = Field(pattern="^[a-z]{3}$", description="ISO 4217, lower case as Stripe writes it.")
    billing_cycle: Literal["monthly", "annual"]

    start_date: Moment
    renewal_date: Moment | None = None
    cancelled_at: Moment | None = None
    refunded_at: Moment | None = None

    status: SubscriptionStatus

    total_revenue: Decimal = Decimal(0)
    mrr: Decimal = Field(default=Decimal(0), description="Monthly recurring revenue.")
    arr: Decimal = Field(default=Decimal(0), description="Annual recurring revenue: 12 x mrr.")

    metadata: dict[str, JsonValue] | None = None
