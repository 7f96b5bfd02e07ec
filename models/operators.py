"""The operators of property rules: one table that says how each is written in SQL and in English, and what it takes.

A value is compared only with an operand of its own kind: a text is never compared with a number, and a value of another
kind is as good as none. Where a value is absent, every operator but ``exists`` is neither true nor false.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.errors import UsageError
from models.moments import parse_moment

Kind = Literal["text", "number", "boolean", "time"]
Shape = Literal["one", "list", "pair", "none"]

MOST_VALUES = 10_000
MOST_CHARACTERS = 1_000
#: Up to here every whole number is a DOUBLE of its own.
MOST_NUMBER = 2**53

NOW = re.compile(r"now(?:\s*([+-])\s*([1-9][0-9]{0,4}h|[1-9][0-9]{0,3}d|[1-9][0-9]{0,2}[wm]|[1-9][0-9]?y))?")
_LOOKS_LIKE_NOW = re.compile(r"\s*now\b")


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        name: how a rule names it.
        shape: whether it takes one value, a list of them, a pair, or none.
        kinds: what the values may be.
        sql: the predicate; ``{value}`` is the property as the operand's kind, the rest are literals.
        sentence: what it says after the property's name.
        denial: what it says where it is known not to hold.
    """

    name: str
    shape: Shape
    kinds: tuple[Kind, ...]
    sql: str
    sentence: str
    denial: str


_ORDERED: tuple[Kind, ...] = ("number", "time")
_PLAIN: tuple[Kind, ...] = ("text", "number", "boolean")

OPERATORS = {
    operator.name: operator
    for operator in (
        Operator("equals", "one", _PLAIN, "{value} = {operand}", "is {operand}", "is not {operand}"),
        Operator("not_equals", "one", _PLAIN, "{value} <> {operand}", "is not {operand}", "is {operand}"),
        Operator(
            "in",
            "list",
            ("text", "number"),
            "{value} in ({operand})",
            "is one of {operand}",
            "is none of {operand}",
        ),
        Operator(
            "not_in",
            "list",
            ("text", "number"),
            "{value} not in ({operand})",
            "is none of {operand}",
            "is one of {operand}",
        ),
        Operator(
            "contains",
            "one",
            ("text",),
            "contains({value}, {operand})",
            "contains {operand}",
            "does not contain {operand}",
        ),
        Operator(
            "starts_with",
            "one",
            ("text",),
            "left({value}, {length}) = {operand}",
            "starts with {operand}",
            "does not start with {operand}",
        ),
        Operator("gte", "one", _ORDERED, "{value} >= {operand}", "is at least {operand}", "is less than {operand}"),
        Operator("lte", "one", _ORDERED, "{value} <= {operand}", "is at most {operand}", "is more than {operand}"),
        Operator("gt", "one", _ORDERED, "{value} > {operand}", "is more than {operand}", "is at most {operand}"),
        Operator("lt", "one", _ORDERED, "{value} < {operand}", "is less than {operand}", "is at least {operand}"),
        Operator(
            "between",
            "pair",
            _ORDERED,
            "{value} between {low} and {high}",
            "is between {low} and {high}",
            "is not between {low} and {high}",
        ),
        Operator("before", "one", ("time",), "{value} < {operand}", "is before {operand}", "is not before {operand}"),
        Operator("after", "one", ("time",), "{value} > {operand}", "is after {operand}", "is not after {operand}"),
        Operator("exists", "none", (), "{value} is not null", "is known", "is not known"),
    )
}
#: The comparisons of a time that ``now`` may stand in, as an order.
COMPARISON = {"gte": "gte", "lte": "lte", "gt": "gt", "lt": "lt", "after": "gt", "before": "lt"}


@dataclass(frozen=True)
class Operand:
    """What a property is compared with: values of one kind; of ``exists`` none.

    Times are texts: ``now``, ``now - 30d``, or a time in UTC.
    """

    kind: Kind | None
    values: tuple[str | float | bool, ...]

    @property
    def moves(self) -> bool:
        """Whether it moves with now."""
        return self.kind == "time" and any(NOW.fullmatch(str(value)) for value in self.values)


def read_operand(operator: Operator, value: Any) -> Operand:
    """What a definition gives as a value, checked against what the operator takes.

    Raises:
        ValueError: saying what would be accepted.
    """
    if operator.shape == "none":
        if value is not None and not isinstance(value, bool):
            raise ValueError(f"{operator.name!r} takes true, false or no value")
        return Operand(None, ())
    values = _values(operator, value)
    kinds = {kind_of(one, operator) for one in values}
    if len(kinds) > 1:
        raise ValueError(f"{operator.name!r} takes values of one kind; given: {' and '.join(sorted(kinds))}")
    kind = kinds.pop()
    if kind not in operator.kinds:
        raise ValueError(f"{operator.name!r} takes a {' or a '.join(operator.kinds)}, not a {kind}")
    read = tuple(_read(one, kind) for one in values)
    if operator.shape == "pair" and not any(NOW.fullmatch(str(one)) for one in read) and sorted(read) != [*read]:
        raise ValueError(f"'between' takes the smaller value first; given: {values[0]!r}, {values[1]!r}")
    if operator.name in {"contains", "starts_with"} and read == ("",):
        raise ValueError(f"{operator.name!r} takes a text that is not empty")
    return Operand(kind, read)


def kind_of(value: Any, operator: Operator) -> Kind:
    """The kind of a value; of operators that put times in order every text is a time."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text" if "text" in operator.kinds else "time"
    raise ValueError(f"{operator.name!r} takes {_takes(operator)}; given: {_shorten(value)}")


def _values(operator: Operator, value: Any) -> Sequence[Any]:
    if operator.shape == "one":
        return (value,)
    if not isinstance(value, list | tuple):
        raise ValueError(f"{operator.name!r} takes a list; given: {_shorten(value)}")  # noqa: TRY004 (pydantic's rule)
    if operator.shape == "pair" and len(value) != 2:
        raise ValueError(f"{operator.name!r} takes two values; given: {len(value)}")
    if not 1 <= len(value) <= MOST_VALUES:
        raise ValueError(f"{operator.name!r} takes 1 to {MOST_VALUES:,} values; given: {len(value):,}")
    return value


def _read(value: Any, kind: Kind) -> str | float | bool:
    if kind == "time":
        return _time(value)
    if kind == "number" and not abs(value) <= MOST_NUMBER:  # nor is NaN
        raise ValueError(f"{value!r} is too large a number to compare: at most {MOST_NUMBER}")
    if kind == "text":
        if "\x00" in value:
            raise ValueError(f"{value!r} has a NUL character")
        if len(value) > MOST_CHARACTERS:
            raise ValueError(f"a text of more than {MOST_CHARACTERS} characters")
        return str(value)
    return bool(value) if kind == "boolean" else float(value)


def _time(text: str) -> str:
    if NOW.fullmatch(text.strip()):
        return re.sub(r"\s*([+-])\s*", r" \1 ", text.strip())
    if _LOOKS_LIKE_NOW.match(text):
        raise ValueError(f"{text!r} is not an expression of now: write now, now - 30d or now + 12h (h, d, w, m, y)")
    try:
        return parse_moment(text).isoformat()
    except UsageError as error:
        raise ValueError(f"{error}, and no expression such as now - 30d") from None


def _takes(operator: Operator) -> str:
    kinds = " or a ".join(operator.kinds)
    return {"one": f"a {kinds}", "list": f"a list of {kinds} values", "pair": f"a {kinds} from and to", "none": ""}[
        operator.shape
    ]


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
