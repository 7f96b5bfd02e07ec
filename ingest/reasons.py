"""Why a row, or a file as a whole, cannot land."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.errors import GdpError


class Reason(StrEnum):
    """What is wrong with a refused row, as one word that never changes; the detail beside it says where."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    BYTE_ORDER_MARK = "byte_order_mark"
    BAD_UNICODE = "bad_unicode"
    NUL = "nul"
    NON_FINITE = "non_finite"
    DUPLICATE_KEY = "duplicate_key"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    TYPE_MISMATCH = "type_mismatch"
    MISSING_FIELD = "missing_field"
    EMPTY_ID = "empty_id"
    ID_TOO_LONG = "id_too_long"
    UNKNOWN_VALUE = "unknown_value"
    BAD_TIME = "bad_time"
    TIME_RANGE = "time_range"
    RAGGED_ROW = "ragged_row"
    BROKEN_QUOTES = "broken_quotes"


class BrokenFile(GdpError):
    """A file that cannot be read to its end; nothing of it lands."""


class Refused(Exception):
    """A row that cannot land.

    Args:
        reason: what is wrong.
        detail: where, and what would be accepted; one line without the row's own secrets.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class RefusedRow:
    """A row for the quarantine: where it stood, why it was refused, and all of it as it came."""

    row_number: int | None
    reason: Reason
    detail: str
    raw: bytes
