"""What every reader of JSON texts is: it takes them block by block and puts what it can into landing files."""

from __future__ import annotations

from typing import Protocol

from ingest.jsongate import Lines
from ingest.reasons import RefusedRow


class Taker(Protocol):
    """Takes the texts of one input; ``records`` counts what was in them, refused records included."""

    records: int

    def take(self, lines: Lines) -> None:
        """Take a block of texts."""

    def finish(self) -> None:
        """Write what is waiting."""

    def drain_refused(self) -> list[RefusedRow]:
        """The records refused since the last call."""
