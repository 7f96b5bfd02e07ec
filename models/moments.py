"""Points in time as somebody types them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timezone, tzinfo

from models.errors import UsageError

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
FIRST, LAST = datetime(2000, 1, 1, tzinfo=timezone.utc), datetime(2200, 1, 1, tzinfo=timezone.utc)


def parse_moment(text: str, *, zone: tzinfo = timezone.utc, what: str = "time") -> datetime:
    """A date (its first moment in ``zone``) or an ISO 8601 time with a zone, in UTC.

    Raises:
        UsageError: if it is neither, has no zone, or lies outside 2000 to 2200.
    """
    given = text.strip()
    try:
        if _DATE.fullmatch(given):
            moment = datetime.combine(date.fromisoformat(given), time(), tzinfo=zone)
        else:
            moment = datetime.fromisoformat(given)
    except ValueError:
        raise UsageError(f"{what} {text!r} is not a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise UsageError(f"{what} {text!r} has no time zone: write {given}Z for UTC or give an offset such as +01:00")
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError:
        raise UsageError(f"{what} {text!r} lies outside 2000-01-01 to 2200-01-01") from None
    if not FIRST <= moment < LAST:
        raise UsageError(f"{what} {text!r} lies outside 2000-01-01 to 2200-01-01")
    return moment
