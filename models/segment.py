"""A segment: the rule that decides who is in it, and the stays that follow from it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue, model_validator

from models.base import Moment, Shape

SEGMENT_ID = "^[a-z][a-z0-9_]{0,62}$"
SegmentId = Annotated[str, Field(pattern=SEGMENT_ID)]

#: A length of time that is the same everywhere: hours, days or weeks.
WINDOW = "^([1-9][0-9]{0,3}[hd]|[1-9][0-9]{0,2}w)$"
Window = Annotated[str, Field(pattern=WINDOW, description="Such as 24h, 7d or 2w.")]
Count = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]


class EventCount(Shape):
    """How often an event must have happened."""

    gte: Count | None = None
    lte: Count | None = None

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> EventCount:
        if self.gte is None and self.lte is None:
            raise ValueError("eventCount needs gte, lte or both")
        if self.gte is not None and self.lte is not None and self.gte > self.lte:
            raise ValueError(f"eventCount asks for at least {self.gte} and at most {self.lte}")
        return self


class SegmentRule(Shape):
    """One condition: a count of events in a window, a property of the person, or a cohort.

    The condition may be left out where the other keys say which one is meant.
    """

    condition: Literal["event", "property", "cohort"]

    event_type: str | tuple[str, ...] | None = Field(default=None, description="One event type, or any of several.")
    event_count: EventCount | None = Field(default=None, description="Without it: at least once.")
    event_window: Window | None = Field(default=None, description="Without it: ever.")

    property: str | None = None
    operator: Literal["equals", "contains", "gte", "lte", "in"] | None = None
    value: JsonValue = None

    cohort_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _infer_condition(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "condition" in data:
            return data
        for condition, keys in _KEYS_OF.items():
            if any(key in data for key in keys):
                return {**data, "condition": condition}
        return data

    @model_validator(mode="after")
    def _keys_fit_the_condition(self) -> SegmentRule:
        needed = {"event": ("event_type",), "property": ("property", "operator"), "cohort": ("cohort_id",)}
        for name in needed[self.condition]:
            if not getattr(self, name):
                raise ValueError(f"a rule on {self.condition!r} needs {name!r}")
        for condition, names in needed.items():
            if condition != self.condition and any(getattr(self, name) is not None for name in names):
                raise ValueError(f"a rule on {self.condition!r} cannot have a {names[0]!r}")
        return self


_KEYS_OF = {
    "event": ("event_type", "eventType"),
    "property": ("property",),
    "cohort": ("cohort_id", "cohortId"),
}


def segment_id_of(name: str) -> str:
    """The id a segment gets from its name: 'Power Users' becomes 'power_users'."""
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return words if re.match(r"[a-z]", words) else f"segment_{words}".rstrip("_")


class SegmentDefinition(Shape):
    """Who belongs together: all rules must hold."""

    segment_id: SegmentId
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str | None = None
    rules: Annotated[tuple[SegmentRule, ...], Field(min_length=1, max_length=500)]
    order: int = Field(default=100, description="Of several active segments the lowest is the person's segment.")
    created_at: Moment | None = None
    updated_at: Moment | None = None

    @model_validator(mode="before")
    @classmethod
    def _id_from_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and not ({"segment_id", "segmentId"} & set(data)):
            name = data.get("name")
            if not (isinstance(name, str) and name.strip()):
                raise ValueError("give the segment a name, of which its id is made")
            return {**data, "segment_id": segment_id_of(name)[:63]}
        return data


class SegmentMembership(Shape):
    """One stay of a person in a segment, in event time: [entered_at, exited_at)."""

    membership_id: UUID
    person_id: UUID
    segment_id: SegmentId
    entered_at: Moment
    exited_at: Moment | None = None
    is_active: bool
    metadata: dict[str, JsonValue] | None = None
