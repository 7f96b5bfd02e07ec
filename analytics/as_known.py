"""A report that was asked of the past as it was known at a moment, which it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Literal, Protocol

from analytics.table import Sheet, Table, minute

_SAID = {
    "identity-as-of": ("identityAsOf", "Persons as they were known at"),
    "known-at": ("knownAt", "By what was known at"),
}


class _Report(Protocol):
    def to_json(self) -> dict[str, Any]: ...

    def table(self) -> Sheet: ...

    def records(self) -> Table: ...


@dataclass(frozen=True)
class AsKnown:
    """A report and the moment as of which who was who, or everything, was known."""

    report: _Report
    kind: Literal["identity-as-of", "known-at"]
    moment: datetime

    def to_json(self) -> dict[str, Any]:
        """The report's shape and ``identityAsOf`` or ``knownAt``; see docs/json.md."""
        return {**self.report.to_json(), _SAID[self.kind][0]: f"{self._moment:%Y-%m-%dT%H:%M:%SZ}"}

    def table(self) -> Sheet:
        """The report's screen, with one more line."""
        sheet = self.report.table()
        return replace(sheet, lines=(*sheet.lines, f"{_SAID[self.kind][1]} {minute(self._moment)} UTC."))

    def records(self) -> Table:
        """The report's rows."""
        return self.report.records()

    @property
    def _moment(self) -> datetime:
        return self.moment.astimezone(timezone.utc)
