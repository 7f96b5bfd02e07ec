"""Who somebody is: the resolved person and the identifiers that lead to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from models.base import Moment, Shape

PersonStatus = Literal["active", "inactive", "churned", "trial", "paid"]
UsageStatus = Literal["never", "new", "active", "inactive"]
BillingStatus = Literal["none", "trial", "paid", "past_due", "churned"]


class Person(Shape):
    """One resolved person with profile, life cycle and totals, as of the build's point in time."""

    person_id: UUID
    created_at: Moment
    updated_at: Moment

    email: str | None = None
    name: str | None = None
    company: str | None = None
    industry: str | None = None

    status: PersonStatus
    usage_status: UsageStatus = "never"
    billing_status: BillingStatus = "none"
    signup_date: Moment | None = None
    first_action_date: Moment | None = None
    last_action_date: Moment | None = None

    segment: str | None = Field(default=None, description="The active segment of lowest display order.")
    cohort: str | None = Field(default=None, description="Monday of the week of signup, as YYYY-MM-DD.")
    source: str | None = Field(default=None, description="utm_source of the first touch.")
    campaign: str | None = Field(default=None, description="utm_campaign of the first touch.")
    medium: str | None = Field(default=None, description="utm_medium of the first touch.")

    total_events: int = 0
    total_spent: Decimal | None = Field(
        default=Decimal(0), description="In the reporting currency; null where it is not known."
    )
    last_event_at: Moment | None = None

    metadata: dict[str, JsonValue] | None = None


class IdentityLink(Shape):
    """One identifier of a person, and when and by which event it became theirs."""

    link_id: UUID
    person_id: UUID
    id_type: str = Field(
        description="user_id, email, stripe_id, google_id, github_id, anonymous_id, device_id or custom:<name>."
    )
    id_value: str
    created_at: Moment
    is_primary: bool
    event_id: str | None = None
    valid_from: Moment | None = None
    valid_to: Moment | None = None
