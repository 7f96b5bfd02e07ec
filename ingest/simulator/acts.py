"""Acts: who did what, when and on which device, as columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np

from ingest.simulator.chance import Bools, Ints


@dataclass(frozen=True)
class Acts:
    """Acts of the persons of a chunk, one position each.

    Attributes:
        person: the position of the person in the chunk.
        at: when, in milliseconds.
        kind: the position in the catalog.
        device: the position of the device in the chunk.
        session: the number of the person's visit, which the application counts from 0.
        known: whether the person was logged in.
    """

    person: Ints
    at: Ints
    kind: Ints
    device: Ints
    session: Ints
    known: Bools

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.person)

    def at_positions(self, positions: Ints | Bools) -> Acts:
        """The acts at positions, or where a mask is true."""
        return Acts(*(getattr(self, field.name)[positions] for field in fields(self)))

    def with_kind(self, kind: int) -> Acts:
        """The same acts as if they were all of one kind."""
        return replace(self, kind=np.full(self.count, kind))

    def moved(self, milliseconds: Ints) -> Acts:
        """The same acts at other times."""
        return replace(self, at=self.at + milliseconds)


def merged(parts: Iterable[Acts]) -> Acts:
    """All acts, in the order of persons and times."""
    several = list(parts)
    acts = Acts(*(np.concatenate([getattr(part, field.name) for part in several]) for field in fields(Acts)))
    return acts.at_positions(np.lexsort((acts.kind, acts.at, acts.person)))


def ordinals(counts: Ints) -> Ints:
    """0, 1, … count − 1 for each count, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
