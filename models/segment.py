"""A segment: the rule that decides who is in it, and the stays that follow from it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints, model_validator

from models.base import Moment, Shape
from models.errors import UsageError, nearest
from models.identity import TypedId
from models.keys import normalise_event_type
from models.moments import parse_moment
from models.operators import OPERATORS, Operand, read_operand
from models.person_properties import KNOWN_PROPERTIES, canonical_property, check_property_name

SEGMENT_ID = "^[a-z][a-z0-9_]{0,62}$"
SegmentId = Annotated[str, Field(pattern=SEGMENT_ID)]

#: A length of time that is the same everywhere: hours, days or weeks.
WINDOW = "^([1-9][0-9]{0,3}[hd]|[1-9][0-9]{0,2}w)$"
Window = Annotated[str, Field(pattern=WINDOW, description="Such as 24h, 7d or 2w.")]
Count = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]
#: Levels of all, any and not within each other.
MOST_LEVELS = 30


def _event_type(name: str) -> str:
    if not normalise_event_type(name):
        raise ValueError("an event type is empty")
    if "\x00" in name:
        raise ValueError(f"{name!r} has a NUL character")
    return name


EventType = Annotated[str, AfterValidator(_event_type)]
EventTypes = EventType | Annotated[tuple[EventType, ...], Field(min_length=1, max_length=100)]
OperatorName = Annotated[str, Field(json_schema_extra={"enum": list(OPERATORS)})]


class CountRange(Shape):
    """How many there must be: at least, at most, or both."""

    gte: Count | None = None
    lte: Count | None = None

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> CountRange:
        if self.gte is None and self.lte is None:
            raise ValueError("a count needs gte, lte or both")
        if self.gte is not None and self.lte is not None and self.gte > self.lte:
            raise ValueError(f"a count of at least {self.gte} and at most {self.lte} is none")
        return self


class EventFilter(Shape):
    """What a property of the event must say; an event without it, or with a value of another kind, does not count."""

    property: str
    operator: OperatorName
    value: JsonValue = None

    @model_validator(mode="after")
    def _value_fits_the_operator(self) -> EventFilter:
        check_property_name(self.property)
        if operand_of(self).moves:
            raise ValueError("a filter on an event takes no 'now': say eventWindow for how long ago")
        return self


class EventStep(Shape):
    """One step of a sequence."""

    event_type: EventTypes
    where: Annotated[tuple[EventFilter, ...], Field(max_length=20)] = ()


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_moment(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


#: A date (its first moment in UTC) or a time with a zone.
DateOrMoment = Annotated[Moment, BeforeValidator(_moment)]


class ListMember(Shape):
    """Somebody on a list, by any identifier (``user_id:4711``), from one time on and perhaps until another."""

    id: TypedId
    start: DateOrMoment = Field(alias="from")
    end: DateOrMoment | None = Field(default=None, alias="until")

    @model_validator(mode="after")
    def _time_runs_forward(self) -> ListMember:
        if self.end is not None and self.end <= self.start:
            raise ValueError("'until' must be later than 'from'")
        return self


class Holdout(Shape):
    """A share of all persons, the same ones for ever; another salt draws others."""

    percent: Annotated[float, Field(gt=0, le=100)]
    salt: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class SegmentRule(Shape):
    """One condition, or several under ``all``, ``any`` or ``not``.

    The condition may be left out where the other keys say which one is meant.
    """

    condition: Literal["event", "property", "cohort", "sequence", "list", "holdout", "all", "any", "not"]

    event_type: EventTypes | None = Field(default=None, description="One event type, or any of several.")
    where: Annotated[tuple[EventFilter, ...], Field(max_length=20)] = ()
    event_count: CountRange | None = Field(default=None, description="Without it: at least once.")
    distinct_days: CountRange | None = Field(default=None, description="On how many days (UTC) it happened.")
    event_window: Window | None = Field(default=None, description="Without it: ever.")

    sequence: Annotated[tuple[EventStep, ...], Field(min_length=2, max_length=10)] | None = None
    within: Window | None = Field(default=None, description="From the first step to the last.")

    property: str | None = None
    operator: OperatorName | None = None
    value: JsonValue = None

    cohort_id: str | None = Field(default=None, description="A segment, or the Monday of a week of signup.")

    list: Annotated[tuple[ListMember, ...], Field(min_length=1, max_length=10_000)] | None = None
    holdout: Holdout | None = None

    all: Rules | None = None
    any: Rules | None = None
    not_: SegmentRule | None = Field(default=None, alias="not")

    @model_validator(mode="before")
    @classmethod
    def _infer_condition(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "condition" in data:
            return data
        for condition, names in _NEEDED.items():
            if _spellings(names[0]) & set(data):
                return {**data, "condition": condition}
        known = [_written(name) for name in cls.model_fields]
        for name in data:
            if name not in known:
                raise ValueError(f"unknown key {name!r} ({nearest(str(name), known)})")
        first_keys = ", ".join(_written(names[0]) for names in _NEEDED.values())
        raise ValueError(f"what does the rule ask for? It needs one of {first_keys}")

    @model_validator(mode="after")
    def _keys_fit_the_condition(self) -> SegmentRule:
        given = self.model_fields_set - {"condition"}
        for name in _NEEDED[self.condition]:
            if getattr(self, name) is None:
                raise ValueError(f"a rule on {self.condition!r} needs {_written(name)!r}")
        for name in sorted(given):
            if name not in _ALLOWED[self.condition] and getattr(self, name) not in (None, ()):
                raise ValueError(f"a rule on {self.condition!r} cannot have a {_written(name)!r}")
        if self.condition == "property":
            self._check_property()
        if levels(self) > MOST_LEVELS:
            raise ValueError(f"rules within rules, more than {MOST_LEVELS} levels deep")
        return self

    def _check_property(self) -> None:
        name, operand = canonical_property(self.property or ""), operand_of(self)
        known = KNOWN_PROPERTIES.get(name)
        if known and operand.kind and operand.kind != known.kind:
            fitting = [one.name for one in OPERATORS.values() if known.kind in one.kinds]
            raise ValueError(
                f"{self.property} is a {known.kind}, and {self.operator!r} compares it with a {operand.kind};"
                f" operators for a {known.kind}: {', '.join(fitting)}"
            )


Rules = Annotated[tuple[SegmentRule, ...], Field(min_length=1, max_length=500)]

#: The keys that a rule of each kind must have; the first one tells which kind it is.
_NEEDED: dict[str, tuple[str, ...]] = {
    "event": ("event_type",),
    "property": ("property", "operator"),
    "cohort": ("cohort_id",),
    "sequence": ("sequence", "within"),
    "list": ("list",),
    "holdout": ("holdout",),
    "all": ("all",),
    "any": ("any",),
    "not": ("not_",),
}
_ALLOWED = {condition: set(names) for condition, names in _NEEDED.items()}
_ALLOWED["event"] |= {"where", "event_count", "distinct_days", "event_window"}
_ALLOWED["sequence"] |= {"event_count", "distinct_days", "event_window"}
_ALLOWED["property"] |= {"value"}


def _written(name: str) -> str:
    return str(SegmentRule.model_fields[name].alias)


def _spellings(name: str) -> set[str]:
    return {name, _written(name)}


def children(rule: SegmentRule) -> tuple[SegmentRule, ...]:
    """The rules right below a rule."""
    return rule.all or rule.any or ((rule.not_,) if rule.not_ else ())


def levels(rule: SegmentRule) -> int:
    """How deep a rule goes: 1 for one without rules below it."""
    return 1 + max((levels(child) for child in children(rule)), default=0)


def operand_of(rule: EventFilter | SegmentRule) -> Operand:
    """The value of a rule, as its operator takes it.

    Raises:
        ValueError: for an operator that there is not, or a value that it does not take.
    """
    name = rule.operator or ""
    if name not in OPERATORS:
        raise ValueError(f"unknown operator {name!r} ({nearest(name, OPERATORS)})")
    return read_operand(OPERATORS[name], rule.value)


def segment_id_of(name: str) -> str:
    """The id a segment gets from its name: 'Power Users' becomes 'power_users'."""
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return words if re.match(r"[a-z]", words) else f"segment_{words}".rstrip("_")


class SegmentDefinition(Shape):
    """Who belongs together: those of whom all rules hold, or whom a query gives."""

    segment_id: SegmentId
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str | None = None
    rules: Rules = ()
    sql: str | None = Field(default=None, description="A query in the place of rules: one SELECT.")
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

    @model_validator(mode="after")
    def _rules_or_sql(self) -> SegmentDefinition:
        if not self.rules and self.sql is None:
            raise ValueError("rules: is missing")
        if self.rules and self.sql is not None:
            raise ValueError("it has rules and sql; give one of them")
        return self


class SegmentMembership(Shape):
    """One stay of a person in a segment, in event time: [entered_at, exited_at)."""

    membership_id: UUID
    person_id: UUID
    segment_id: SegmentId
    entered_at: Moment
    exited_at: Moment | None = None
    is_active: bool
    metadata: dict[str, JsonValue] | None = None
