"""One value as text, as JSON or as a cell of CSV."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

#: What makes CSV put a cell in quotes.
_QUOTED = frozenset(',"\r\n')
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def text_cell(cell: Any) -> str:
    """A value as plain text: ISO 8601 for times, digits for numbers."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.astimezone(timezone.utc).isoformat().replace("+00:00", "Z") if cell.tzinfo else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, bytes):
        return cell.hex()
    if isinstance(cell, timedelta):
        return f"{cell.total_seconds():g} s"
    if type(cell).__name__ == "MonthDayNano":
        return _interval(*cell)
    return json_cell(cell) if isinstance(cell, list | dict) else str(cell)


def json_cell(cell: Any) -> str:
    """A value as JSON; what is not finite has no number in JSON and is null."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "null"
    if isinstance(cell, bool | int | float | str):
        return json.dumps(cell, ensure_ascii=False)
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, list):
        return "[" + ", ".join(json_cell(item) for item in cell) + "]"
    if isinstance(cell, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {json_cell(item)}" for key, item in cell.items()) + "}"
    return json.dumps(text_cell(cell), ensure_ascii=False)


def csv_cell(cell: Any) -> str:
    """A value as CSV holds it; a text that a spreadsheet would run as a formula gets a ' in front.

    Null is nothing and the empty text is a pair of quotes.
    """
    if cell is None:
        return ""
    text = text_cell(cell)
    if isinstance(cell, int | float | Decimal):
        return text
    if text.startswith(_FORMULA):
        text = "'" + text
    return text if text and not _QUOTED & set(text) else '"' + text.replace('"', '""') + '"'


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """An interval as DuckDB writes it: 1 year 2 months 3 days 01:02:03.5."""
    sign = -1 if months < 0 else 1
    years, months = (sign * part for part in divmod(abs(months), 12))
    counts = ((years, "year"), (months, "month"), (days, "day"))
    parts = [f"{count} {unit}{'' if abs(count) == 1 else 's'}" for count, unit in counts if count]
    if nanoseconds or not parts:
        seconds, microseconds = divmod(abs(nanoseconds) // 1000, 1_000_000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        fraction = f".{microseconds:06}".rstrip("0") if microseconds else ""
        parts.append(f"{'-' if nanoseconds < 0 else ''}{clock}{fraction}")
    return " ".join(parts)
