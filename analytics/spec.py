"""What every report is asked with: a frozen shape, checked with one-line errors."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError, field_validator, model_validator

from analytics.query import Engine
from models.base import Moment, Shape
from models.errors import UsageError, nearest
from models.keys import normalise_event_type
from models.problems import accepted

MAX_NAME = 256


class ReportSpec(Shape):
    """A report's question: now (``as_of``), the zone of its calendar, and the range that selects who enters it."""

    as_of: Moment | None = None
    tz: str = "UTC"
    start: Moment | None = None
    end: Moment | None = None

    @field_validator("tz")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        from warehouse.settings import zone

        return zone(name).key

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> ReportSpec:
        if self.start and self.end and self.start >= self.end:
            raise ValueError(
                f"the range is empty: --from {self.start.isoformat()} is not before --to {self.end.isoformat()}"
            )
        return self

    @property
    def now(self) -> datetime:
        """The report's now."""
        if self.as_of is None:
            raise ValueError("as_of is not known before the warehouse is: give it, or run the report")
        return self.as_of

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the report's calendar."""
        return ZoneInfo(self.tz)


Spec = TypeVar("Spec", bound=ReportSpec)


def make_spec(shape: type[Spec], **values: Any) -> Spec:
    """Check a report's question; values that are None are left out.

    Raises:
        UsageError: with the first thing that is wrong and what would be accepted.
    """
    try:
        return shape(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        raise UsageError(_first_problem(error, shape)) from None


def at_build(spec: Spec, engine: Engine) -> Spec:
    """The question with its now filled in from the build.

    Raises:
        UsageError: if it asks for a time that the build does not know yet, or for a range after its now.
    """
    if spec.as_of is None:
        spec = spec.model_copy(update={"as_of": engine.as_of})
    if spec.now > engine.as_of:
        raise UsageError(
            f"--as-of {spec.now.isoformat()} is after the build's {engine.as_of.isoformat()}: "
            "give an earlier one, or build again"
        )
    if spec.start and spec.start > spec.now:
        raise UsageError(
            f"--from {spec.start.isoformat()} is after the report's now, {spec.now.isoformat()}: give an earlier one"
        )
    return spec


def event_types(text: str) -> tuple[str, ...]:
    """The event types of ``a|b``, as they are landed: trimmed, NFC, lower case, each once."""
    names = [normalise_event_type(part) for part in text.split("|")]
    if not all(names):
        raise ValueError(f"{text!r} has an empty event type: write a or a|b")
    return tuple(dict.fromkeys(name_of("an event type", name) for name in names))


def name_of(what: str, name: str) -> str:
    """A name that data can have.

    Raises:
        ValueError: if it is empty, too long or not printable.
    """
    if not name:
        raise ValueError(f"{what} needs a name")
    if len(name) > MAX_NAME:
        raise ValueError(f"{what} has at most {MAX_NAME} characters")
    if not name.isprintable():
        raise ValueError(f"{name!r} has a control character")
    return name


def _first_problem(error: ValidationError, shape: type[BaseModel]) -> str:
    problem = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        hint = nearest(place, shape.model_fields)
        return f"unknown argument {place!r}" + (f" ({hint})" if hint else "")
    message = accepted(problem)
    # A message of a validator says it all; any other needs to be told where it stands.
    return message if problem["type"] == "value_error" else f"{place}: {message} (given: {problem['input']!r:.60})"
