"""Chance and ids for the life of one customer."""

from __future__ import annotations

import hashlib

import numpy as np


class Draws:
    """Draws one after the other; ids are made of the owner's and a counter.

    Args:
        rng: where chance comes from.
        owner: the id of the customer.
    """

    def __init__(self, rng: np.random.Generator, owner: str) -> None:
        self._rng = rng
        self._owner = owner
        self._made = 0

    def share(self) -> float:
        """A number in [0, 1)."""
        return float(self._rng.random())

    def happens(self, probability: float) -> bool:
        """Whether something happens."""
        return self.share() < probability

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.share() * (high - low + 1))

    def wait(self, low: int, high: int, unit: int) -> int:
        """A time of low to high units and up to half a unit."""
        return self.whole(low, high) * unit + int(self.share() * unit / 2)

    def new_id(self, prefix: str) -> str:
        """An id that nothing else has."""
        self._made += 1
        return prefix + hashlib.blake2b(f"{self._owner}/{self._made}".encode(), digest_size=12).hexdigest()
