"""The comparison of a value with an operand as SQL, by the table of operators."""

from __future__ import annotations

from analytics import dialect
from models.operators import OPERATORS, Operand
from warehouse.sql import portable_literal

#: Texts that say a time outside these years say none: what is added to it would leave the calendar.
_FIRST, _LAST = "1900-01-01T00:00:00+00:00", "2300-01-01T00:00:00+00:00"


def predicate(operator: str, operand: Operand, value: str, *, want: bool = True) -> str:
    """Whether a value (an SQL expression of the operand's kind) is as the operator says, or is known not to be.

    It is null where the value is.
    """
    literals = [_literal(one) for one in operand.values]
    text = OPERATORS[operator].sql.format(
        value=value,
        operand=", ".join(literals),
        length=len(str(operand.values[0])) if operand.values else 0,
        low=literals[0] if literals else "",
        high=literals[-1] if literals else "",
    )
    if operand.kind == "time":
        text = OPERATORS[operator].sql.format(value=value, operand=dialect.moment(str(operand.values[0])))
    return text if want else f"not ({text})"


def as_kind(kind: str, text: str) -> str:
    """A value that is kept as text, as what it is compared as."""
    if kind == "number":
        return f"try_cast({text} as double)"
    if kind == "boolean":
        return f"({text} = 'true')"
    if kind == "time":
        return within_calendar(dialect.time_of(text))
    return text


def within_calendar(moment: str) -> str:
    """A time, or null if it lies where arithmetic could leave the calendar."""
    first, last = dialect.moment(_FIRST), dialect.moment(_LAST)
    return f"case when {moment} between {first} and {last} then {moment} end"


def _literal(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return portable_literal(value) if isinstance(value, str) else f"cast({portable_literal(repr(value))} as double)"
