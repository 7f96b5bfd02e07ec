"""Which of the property sets of its kind an act has."""

from __future__ import annotations

import numpy as np

from ingest.simulator.catalog import KINDS
from ingest.simulator.chance import Chance, Ints
from ingest.simulator.texts import dumps

#: The property sets of all kinds, one kind after the other, as JSON.
PROPERTY_TEXTS = tuple(dumps(properties) for kind in KINDS for properties in kind.properties)
_SIZES = np.array([len(kind.properties) for kind in KINDS])
_FIRSTS: Ints = np.cumsum(_SIZES) - _SIZES


def property_positions(chance: Chance, purpose: str, kinds: Ints) -> Ints:
    """For each act the position of a property set of its kind in ``PROPERTY_TEXTS``."""
    ordinal: Ints = (chance.uniform(purpose, len(kinds)) * _SIZES[kinds]).astype(np.int64)
    return ordinal + _FIRSTS[kinds]
