"""What an ingest did, file by file and in total."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FileSummary:
    """What became of one file's rows; ``error`` says why none of them landed.

    ``is_usage_error`` tells a file whose columns nobody has explained from one that cannot be read. ``also_landed_as``
    says when the same content landed before with another mapping, source or zone.
    """

    path: str
    rows_in: int = 0
    landed: int = 0
    duplicate: int = 0
    quarantined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
    is_usage_error: bool = False
    notes: tuple[str, ...] = ()
    also_landed_as: tuple[str, ...] = ()

    @property
    def warning(self) -> str | None:
        """What somebody ought to know who did not mean to land a file twice."""
        if not self.also_landed_as:
            return None
        return (
            f"{self.path}: the same content landed before with another mapping, source or zone"
            f" ({'; '.join(self.also_landed_as)}), so its rows may count twice (gdp landing forget takes one back)"
        )

    def to_json(self) -> dict[str, Any]:
        """The summary as plain values (docs/json.md)."""
        plain: dict[str, Any] = {
            "path": self.path,
            "rows_in": self.rows_in,
            "landed": self.landed,
            "duplicate": self.duplicate,
            "quarantined": self.quarantined,
            "reasons": dict(sorted(self.reasons.items())),
        }
        if self.notes:
            plain["notes"] = list(self.notes)
        if self.also_landed_as:
            plain["also_landed_as"] = list(self.also_landed_as)
        if self.error is not None:
            plain["error"] = self.error
        return plain


@dataclass(frozen=True)
class IngestSummary:
    """What became of all rows; ``rows_in`` is the sum of the other counts, for each file and in total."""

    files: tuple[FileSummary, ...]

    @property
    def rows_in(self) -> int:
        """All rows that were read."""
        return sum(file.rows_in for file in self.files)

    @property
    def landed(self) -> int:
        """Rows that are new in the landing."""
        return sum(file.landed for file in self.files)

    @property
    def duplicate(self) -> int:
        """Rows that were there already."""
        return sum(file.duplicate for file in self.files)

    @property
    def quarantined(self) -> int:
        """Rows that could not land."""
        return sum(file.quarantined for file in self.files)

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows could not land for each reason, the commonest first."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.reasons)
        return dict(total.most_common())

    @property
    def exit_code(self) -> int:
        """0 if every file was read; 2 if files were not because nobody said what their columns hold; else 1."""
        failed = [file for file in self.files if file.error is not None]
        if not failed:
            return 0
        return 2 if all(file.is_usage_error for file in failed) else 1

    def to_json(self) -> dict[str, Any]:
        """The summary as plain values (docs/json.md)."""
        return {
            "rows_in": self.rows_in,
            "landed": self.landed,
            "duplicate": self.duplicate,
            "quarantined": self.quarantined,
            "files": [file.to_json() for file in self.files],
        }
