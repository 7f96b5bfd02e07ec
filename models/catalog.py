"""The event catalog: what each event type is for, as a definitions file says it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from models.base import Shape
from models.keys import normalise_event_type

Category = Literal["acquisition", "activation", "core_value", "monetization", "retention", "referral"]


class EventKind(Shape):
    """What one event type means: its place in the life of a customer, and whether it counts as activity."""

    category: Category
    is_action: bool = Field(default=True, description="Whether the event shows that the person was active.")
    description: str = ""


class EventCatalog(Shape):
    """All event types that are known, and what an unknown one is taken for."""

    default: EventKind = Field(
        default=EventKind(category="core_value", description="An event type that the catalog does not name."),
        description="What an event type that is not listed is taken for.",
    )
    events: dict[str, EventKind] = Field(default_factory=dict)

    @field_validator("events")
    @classmethod
    def _match_keys(cls, events: dict[str, EventKind]) -> dict[str, EventKind]:
        normalised: dict[str, EventKind] = {}
        for name, kind in events.items():
            key = normalise_event_type(name)
            if not key or key == "*":
                raise ValueError(f"{name!r} is not a name for an event type")
            if key in normalised:
                raise ValueError(f"{name!r} is listed twice (names are compared in lower case)")
            normalised[key] = kind
        return normalised
