"""Points in time as they come: text with a zone, or a number of seconds, milli-, micro- or nanoseconds.

Epoch numbers are told apart by size: below 10^11 they are seconds, below 10^14 milliseconds, below 10^17 microseconds,
below 10^20 nanoseconds. The four ranges do not overlap between 1973 and 5138, so within the accepted years there is no
doubt. What is finer than a microsecond is cut off. A zone is an offset of at most 18 hours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import ROUND_DOWN, Decimal
from typing import Any

from ingest.reasons import Reason, Refused
from ingest.strictjson import RawNumber, shown

#: The accepted years begin here and end a day after now: a clock may be wrong by an hour, but not by years.
EARLIEST = datetime(2000, 1, 1, tzinfo=timezone.utc)
FUTURE = timedelta(hours=24)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECONDS = (
    (Decimal(10) ** 11, Decimal(1_000_000)),
    (Decimal(10) ** 14, Decimal(1_000)),
    (Decimal(10) ** 17, Decimal(1)),
    (Decimal(10) ** 20, Decimal("0.001")),
)
_TEXT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3]):\d{2})(:\d{2}(?:[.,]\d+)?)?([Zz]|[+-]\d{2}(?::?\d{2})?)", re.ASCII
)


@dataclass(frozen=True)
class TimeRange:
    """The times that may land: from ``earliest`` to ``latest``, both included."""

    earliest: datetime
    latest: datetime

    @classmethod
    def at(cls, now: datetime) -> TimeRange:
        """What may land now."""
        return cls(EARLIEST, now + FUTURE)

    def check(self, name: str, moment: datetime) -> None:
        """Raises: Refused (time_range) if the time lies outside."""
        if not self.earliest <= moment <= self.latest:
            raise Refused(
                Reason.TIME_RANGE,
                f"{name} {moment:%Y-%m-%dT%H:%M:%SZ} is not between {self.earliest:%Y-%m-%d} and a day from now",
            )


_NEEDS_ZONE = "a time needs a zone, such as 2026-01-31T12:00:00Z, or is an epoch number"
_LOCAL_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?", re.ASCII)


def instant(name: str, value: Any, hint: str = _NEEDS_ZONE) -> datetime:
    """A JSON value as a point in time, in UTC.

    Args:
        name: the field, for the message.
        value: a text, a number or a point in time.
        hint: what would be accepted, where a text is no time at all.

    Raises:
        Refused: bad_time if it is none or has no zone, type_mismatch if it is no text and no number.
    """
    match value:
        case datetime():
            return value
        case str():
            return _from_text(name, value, hint)
        case bool():
            pass
        case int():
            return _from_number(name, Decimal(value))
        case RawNumber():
            return _from_number(name, Decimal(value.text))
    raise Refused(Reason.TYPE_MISMATCH, f"{name} is neither a text nor a number")


def _from_text(name: str, text: str, hint: str) -> datetime:
    if match := _TEXT.fullmatch(text):
        date, minutes, seconds, zone = match.groups()
        second, _, fraction = (seconds or ":00").replace(",", ".").partition(".")
        try:
            moment = datetime.fromisoformat(f"{date}T{minutes}{second}.{fraction[:6]:0<6}{_offset(zone)}")
            if abs(moment.utcoffset() or timedelta()) <= timedelta(hours=18):
                return moment.astimezone(timezone.utc)
        except (ValueError, OverflowError):
            pass
        hint = "there is no such time, or its zone is more than 18 hours from UTC"
    elif hint != _NEEDS_ZONE and _LOCAL_TEXT.fullmatch(text):
        hint = "there is no such time"
    raise Refused(Reason.BAD_TIME, f"{name} {shown(text)}: {hint}")


def _offset(zone: str) -> str:
    if zone in "Zz":
        return "+00:00"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _from_number(name: str, number: Decimal) -> datetime:
    for limit, factor in _MICROSECONDS:
        if abs(number) < limit:
            return _EPOCH + timedelta(microseconds=int((number * factor).to_integral_value(ROUND_DOWN)))
    raise Refused(Reason.BAD_TIME, f"{name} {shown(str(number))} is not an epoch number of this age")


#: What SQL takes by itself as a time with a zone; everything else is left to ``instant``.
PLAIN_TIME = (
    r"\d{4}-\d{2}-\d{2}[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-7])(?::?[0-5]\d)?)"
)
#: The same for an epoch number: whole milliseconds or microseconds, or seconds, of this century.
PLAIN_EPOCH = r"[1-9]\d{8,10}(?:\.\d{1,9})?|[1-9]\d{11,13}|[1-9]\d{14,16}"


def text_time_sql(text: str) -> str:
    """The TIMESTAMPTZ of a text that matches ``PLAIN_TIME``, null for any other."""
    return f"case when regexp_full_match({text}, '{PLAIN_TIME}') then try_cast({text} as timestamptz) end"


def epoch_sql(text: str) -> str:
    """The TIMESTAMPTZ of the digits of an epoch number that matches ``PLAIN_EPOCH``, null for any other text."""
    number = f"try_cast({text} as decimal(27, 9))"
    factor = f"case when {number} < 1e11::bigint then 1000000 when {number} < 1e14::bigint then 1000 else 1 end"
    return (
        f"case when regexp_full_match({text}, '{PLAIN_EPOCH}')"
        f" then make_timestamptz(floor({number} * ({factor})::decimal(7, 0))::bigint) end"
    )


def seconds_sql(text: str) -> str:
    """The TIMESTAMPTZ of the digits of whole Unix seconds (nine to eleven of them), null for any other text."""
    return (
        f"case when regexp_full_match({text}, '[1-9]\\d{{8,10}}') then make_timestamptz({text}::bigint * 1000000) end"
    )
