"""What DuckDB spells in its own way, in one place; everything else in the reports runs on Spark as it is."""

from __future__ import annotations

from analytics.duration import Duration

_DAY = 86_400_000_000
#: The type of a point in time.
TIME = "timestamptz"
UTC_NAMES = frozenset({"UTC", "Etc/UTC"})


def microseconds(moment: str) -> str:
    """Microseconds since 1970; a difference of two TIMESTAMPTZ asks the calendar and costs ten times as much."""
    return f"epoch_us({moment})"


def after(moment: str, length: Duration) -> str:
    """A point in time this much later; adding an interval asks the calendar, at forty times the cost."""
    return _shifted(moment, "+", length)


def before(moment: str, length: Duration) -> str:
    """A point in time this much earlier."""
    return _shifted(moment, "-", length)


def next_instant(moment: str) -> str:
    """The earliest point in time after one."""
    return f"make_timestamptz({microseconds(moment)} + 1)"


def _shifted(moment: str, sign: str, length: Duration) -> str:
    if length.microseconds is None:
        return f"{moment} {sign} {length.sql}"
    return f"make_timestamptz({microseconds(moment)} {sign} {length.microseconds})"


def whole(dividend: str, divisor: int) -> str:
    """How often a positive constant goes into a whole number, rounded down."""
    return f"({dividend}) // {divisor}"


def json_text(column: str, path: str) -> str:
    """The value at a path of a JSON text, as text; null if there is none."""
    return f"json_extract_string({column}, {path})"


def json_has(column: str, path: str) -> str:
    """Whether a JSON text has something at a path, be it null."""
    return f"json_exists({column}, {path})"


def json_names(column: str) -> str:
    """The names of a JSON object's members, one row each."""
    return f"unnest(json_keys({column}))"


def json_member(name: str) -> str:
    """The path of a JSON object's member, whatever its name (a JSON pointer, RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def day_number(moment: str, tz: str) -> str:
    """Days from 1970-01-01 to the calendar day of a time in a zone."""
    if tz in UTC_NAMES:
        return whole(microseconds(moment), _DAY)
    return f"(cast(timezone($tz, {moment}) as date) - date '1970-01-01')"


def week_number(moment: str, tz: str) -> str:
    """Weeks from that of 1969-12-29 to the calendar week (from Monday) of a time in a zone."""
    return whole(f"{day_number(moment, tz)} + 3", 7)


def month_number(moment: str, tz: str) -> str:
    """Months from the year 0 to the calendar month of a time in a zone."""
    # Without a zone the calendar need not be asked: a UTC wall clock is the number of microseconds.
    local = f"make_timestamp({microseconds(moment)})" if tz in UTC_NAMES else f"timezone($tz, {moment})"
    return f"(extract(year from {local}) * 12 + extract(month from {local}) - 1)"


def json_type(column: str, path: str) -> str:
    """The type of the value at a path of a JSON text: VARCHAR, BOOLEAN, a number's, OBJECT, ARRAY or NULL."""
    return f"json_type({column}, {path})"


def time_of(text: str) -> str:
    """The point in time that a text says; null if it says none."""
    return f"try_cast({text} as timestamptz)"


def moment(iso: str) -> str:
    """A point in time written in ISO 8601 as an SQL literal."""
    return f"cast('{iso}' as timestamptz)"
