"""Revenue policies: what counts as recurring revenue, as a definitions file says it."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Literal

from pydantic import Field, field_validator, model_validator

from models.base import Shape
from models.currency import CURRENCY_DIGITS
from models.errors import nearest

Switch = Literal["include", "exclude"]
#: A switch with one position: what would count is not among what Stripe tells of a subscription.
Never = Literal["exclude"]
DiscountSwitch = Literal["none", "forever", "running", "all"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class RevenuePolicy(Shape):
    """Which subscriptions count, and at which price; active ones always do, incomplete ones never."""

    trialing: Switch = Field(default="exclude", description="Subscriptions on trial.")
    past_due: Switch = Field(default="include", description="Subscriptions whose last payment failed.")
    unpaid: Switch = Field(default="exclude", description="Subscriptions whose payments Stripe has given up.")
    paused: Switch = Field(default="exclude", description="Paused subscriptions, and paused collection.")
    discounts: DiscountSwitch = Field(
        default="running",
        description="Which discounts reduce the price: none, those that last for ever, running ones (for ever and for"
        " some months), or all, those that count once too for as long as they stand.",
    )
    metered: Never = Field(default="exclude", description="Metered usage, of which a subscription tells no amount.")
    tax: Never = Field(default="exclude", description="Tax on top of a price.")
    one_off: Never = Field(default="exclude", description="Lines of an invoice that do not recur.")

    @property
    def statuses(self) -> list[str]:
        """Stripe's statuses that count."""
        switches = {
            "active": "include",
            "past_due": self.past_due,
            "paused": self.paused,
            "trialing": self.trialing,
            "unpaid": self.unpaid,
        }
        return [status for status, switch in switches.items() if switch == "include"]

    @property
    def durations(self) -> list[str]:
        """The kinds of discount that reduce the price."""
        found = {"none": 0, "forever": 1, "running": 2, "all": 3}
        return ["forever", "repeating", "once"][: found[self.discounts]]


#: The policies that are always there; their names mean the same in every project.
SHIPPED = MappingProxyType(
    {
        "gdp": RevenuePolicy(),
        "stripe": RevenuePolicy(paused="include", discounts="forever"),
        "chartmogul": RevenuePolicy(discounts="all"),
    }
)


class RevenuePolicies(Shape):
    """The project's own policies beside the shipped ones, which of all is used where none is named, and in which
    currency amounts of several currencies are reported.
    """

    default: str = "gdp"
    reporting_currency: str = "usd"
    policies: dict[str, RevenuePolicy] = Field(default_factory=dict)

    @field_validator("policies")
    @classmethod
    def _names(cls, policies: dict[str, RevenuePolicy]) -> dict[str, RevenuePolicy]:
        for name in policies:
            if name in SHIPPED:
                raise ValueError(f"{name!r} is a shipped policy, which stays as it is; give yours another name")
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a policy: up to 40 of a-z, 0-9 and _, a letter first")
        return policies

    @field_validator("reporting_currency")
    @classmethod
    def _is_a_currency(cls, currency: str) -> str:
        if currency.lower() not in CURRENCY_DIGITS:
            raise ValueError(f"{currency!r} is no currency of ISO 4217 ({nearest(currency.lower(), CURRENCY_DIGITS)})")
        return currency.lower()

    @model_validator(mode="after")
    def _default_is_known(self) -> RevenuePolicies:
        if self.default not in self.known:
            hint = nearest(self.default, self.known)
            raise ValueError(f"default: there is no policy {self.default!r} ({hint or ', '.join(self.known)})")
        return self

    @property
    def known(self) -> dict[str, RevenuePolicy]:
        """All policies by name, the shipped ones first."""
        return {**SHIPPED, **self.policies}
