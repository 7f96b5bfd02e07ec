"""What of Stripe's API is fetched: the lists, what of each is asked for, and which permission that needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.errors import UsageError, nearest


@dataclass(frozen=True)
class Nested:
    """A list inside an object, of which the object holds the first entries only.

    Attributes:
        member: the key of the list.
        path: where all of it is listed; ``{id}`` stands for the object.
        params: which entries are asked for there; ``{id}`` likewise.
    """

    member: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """One list of the API.

    Attributes:
        name: what it is called, here and in the path of the API.
        object_type: what its entries call themselves.
        permission: what a restricted key must be allowed to read.
        params: what is asked for besides pages.
        nested: the list inside of its entries that may not be whole.
    """

    name: str
    object_type: str
    permission: str
    params: Mapping[str, Any] = field(default_factory=dict)
    nested: Nested | None = None

    @property
    def path(self) -> str:
        """Where it is listed."""
        return f"/v1/{self.name}"


#: The items of a subscription, and the lines of an invoice.
ITEMS = Nested("items", "/v1/subscription_items", {"subscription": "{id}"})
LINES = Nested("lines", "/v1/invoices/{id}/lines")

#: In the order in which they are fetched. A price's tiers come only where they are asked for.
KINDS: tuple[Kind, ...] = (
    Kind("customers", "customer", "Customers"),
    Kind("products", "product", "Products"),
    Kind("prices", "price", "Prices", {"expand": ["data.tiers", "data.currency_options"]}),
    Kind("coupons", "coupon", "Coupons", {"expand": ["data.applies_to"]}),
    Kind(
        "subscriptions",
        "subscription",
        "Subscriptions",
        {"status": "all", "expand": ["data.discounts.source.coupon"]},
        ITEMS,
    ),
    Kind("invoices", "invoice", "Invoices", {"expand": ["data.payments"]}, LINES),
    Kind("charges", "charge", "Charges and Refunds"),
    Kind("refunds", "refund", "Charges and Refunds"),
    Kind("disputes", "dispute", "Disputes"),
    Kind("events", "event", "Events"),
)


def chosen_kinds(names: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds of these names, in the order in which they are fetched; all of them if none is named.

    Raises:
        UsageError: if there is none of a name.
    """
    known = {kind.name: kind for kind in KINDS}
    for name in names:
        if name not in known:
            raise UsageError(f"--objects: {name!r} is nothing that is fetched ({nearest(name, known)})")
    return tuple(kind for kind in KINDS if not names or kind.name in names)
