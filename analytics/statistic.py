"""Intervals for rates."""

from __future__ import annotations

import math

#: The 97.5 % point of the normal distribution.
_Z = 1.959963984540054


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927), within [0, 1]; needs at least one trial."""
    share = successes / trials
    scale = 1 + _Z**2 / trials
    centre = (share + _Z**2 / (2 * trials)) / scale
    reach = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2)) / scale
    # At the ends the formula gives 0 and 1 up to rounding; say so exactly.
    low = 0.0 if successes == 0 else max(0.0, centre - reach)
    high = 1.0 if successes == trials else min(1.0, centre + reach)
    return low, high


def share(part: int, whole: int) -> float | None:
    """The rate of a part in a whole; None if there is no whole."""
    return part / whole if whole else None
