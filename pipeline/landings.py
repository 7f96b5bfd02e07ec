"""What was handed in, landing by landing, and taking a landing back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.inputs import Form
from ingest.options import LandOptions
from pipeline.origin import read_published
from pipeline.project import Project
from warehouse.forget import Forgotten, Landing, chosen_landings, forget, landings
from warehouse.locks import exclusive


@dataclass(frozen=True)
class LandingState:
    """A landing and what has become of it: ``built``, ``waiting`` for a build, ``empty`` or ``forgotten``."""

    landing: Landing
    source: str
    state: str

    def to_json(self) -> dict[str, Any]:
        """The landing as plain values (docs/json.md)."""
        landing = self.landing
        return {
            "landing": landing.number,
            "file": landing.name,
            "source": self.source,
            "landed_at": landing.landed_at.isoformat(),
            "rows_in": landing.rows_in,
            "landed": landing.landed,
            "duplicate": landing.duplicate,
            "quarantined": landing.quarantined,
            "batches": list(landing.batches),
            "state": self.state,
            "forgotten_at": landing.forgotten_at.isoformat() if landing.forgotten_at else None,
        }


def list_landings(project: Project, numbers: Sequence[int] = ()) -> list[LandingState]:
    """Every landing, oldest first, or those of these numbers.

    Raises:
        UsageError: if there is no home, or a number is that of no landing or of one that was forgotten.
    """
    home = project.existing_home()
    control = home.control
    found = chosen_landings(control, numbers) if numbers else landings(control)
    published, _ = read_published(home)
    built = published.max_batch_seq if published else 0
    return [
        LandingState(landing, source_of(landing.form, landing.options), _state(landing, built)) for landing in found
    ]


def forget_landings(project: Project, numbers: Sequence[int], *, now: datetime) -> Forgotten:
    """Take landings back, so that their files can land again; the next build is a full refresh.

    Raises:
        UsageError: if a number is that of no landing.
        BusyError: if a build or an ingest is running.
    """
    home = project.existing_home()
    with exclusive(home.locks / "build", "a build"):
        return forget(home, numbers, now=now)


def source_of(form: str, reading: Mapping[str, Any]) -> str:
    """The source of an input's rows that named none, by its form and the way it was read."""
    options = LandOptions.from_reading(dict(reading), LandOptions())
    is_mapped = options.mapping is not None or Form(form) in (Form.CSV, Form.PARQUET)
    return options.source_for(is_mapped=is_mapped)


def _state(landing: Landing, last_built_batch: int) -> str:
    if landing.forgotten_at is not None:
        return "forgotten"
    if not landing.batches:
        return "empty"
    return "built" if landing.batches[-1] <= last_built_batch else "waiting"
