"""Chance with an address: one stream of numbers per chunk of persons and purpose.

A stream is drawn in the order of persons, so a draw for fewer persons is the beginning of a draw for more, and what
one purpose draws does not move another.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Chance:
    """All chance of one chunk of persons."""

    seed: int
    chunk: int

    def stream(self, purpose: str, number: int = 0) -> np.random.Generator:
        """A generator of its own for a purpose; ``number`` tells several of one purpose apart."""
        address = [self.seed, self.chunk, zlib.crc32(purpose.encode()), number]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(address)))

    def uniform(self, purpose: str, count: int, low: float = 0.0, high: float = 1.0) -> Floats:
        """Numbers in [low, high)."""
        return low + (high - low) * self.stream(purpose).random(count)

    def happens(self, purpose: str, count: int, probability: float | Floats) -> Bools:
        """Whether something happens, each time anew."""
        return self.stream(purpose).random(count) < probability

    def whole(self, purpose: str, count: int, low: int, high: int) -> Ints:
        """Whole numbers from low to high, both included."""
        return low + (self.stream(purpose).random(count) * (high - low + 1)).astype(np.int64)

    def waits(self, purpose: str, mean: float | Floats, count: int) -> Floats:
        """Exponential waiting times, in the unit of their mean."""
        return -mean * np.log1p(-self.stream(purpose).random(count))

    def choice(self, purpose: str, count: int, weights: tuple[float, ...]) -> Ints:
        """Positions in a list whose items have weights."""
        bounds = np.cumsum(np.array(weights) / sum(weights))[:-1]
        return np.searchsorted(bounds, self.stream(purpose).random(count), side="right").astype(np.int64)

    def counts(self, purpose: str, mean: Floats) -> Ints:
        """Poisson counts."""
        return self.stream(purpose).poisson(mean).astype(np.int64)

    def words(self, purpose: str, count: int, width: int) -> npt.NDArray[np.uint64]:
        """``width`` random 64-bit words for each of ``count`` things."""
        return self.stream(purpose).integers(0, 2**64, size=(count, width), dtype=np.uint64)
