"""Shortest paths in the graph of identifiers, read from both ends a step at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from analytics.query import Engine

#: A path through more identifiers than this is not looked for.
MOST_IDENTIFIERS = 200_000
_EDGES = "intermediate.int_identity__judged"
_EDGE = "left_key, right_key, is_accepted, refused_by, trust, observed_at, body_key"


@dataclass(frozen=True)
class Hop:
    """One edge of a path: two identifiers that one event carried together, or a link by hand."""

    start: int
    end: int
    is_accepted: bool
    refused_by: str | None
    trust: str
    observed_at: datetime
    body_key: int | None


class PathTooFar(Exception):
    """The two are further apart than is looked for."""


def shortest_path(engine: Engine, start: int, end: int, *, accepted: bool) -> list[Hop] | None:
    """The fewest edges from one identifier to another; among equals those of the smallest keys.

    Args:
        engine: the warehouse.
        start, end: keys of two identifiers.
        accepted: take only edges that join persons.

    Returns: None if no path joins them.

    Raises:
        PathTooFar: if more than ``MOST_IDENTIFIERS`` would have to be looked at.
    """
    if start == end:
        return []
    sides: tuple[dict[int, Hop | None], dict[int, Hop | None]] = ({start: None}, {end: None})
    frontiers = [[start], [end]]
    while all(frontiers):
        number = 0 if len(frontiers[0]) <= len(frontiers[1]) else 1
        side, other = sides[number], sides[1 - number]
        frontiers[number] = _step(engine, frontiers[number], side, accepted=accepted)
        met = sorted(key for key in frontiers[number] if key in other)
        if met:
            return _join(sides, met[0])
        if len(side) + len(other) > MOST_IDENTIFIERS:
            raise PathTooFar
    return None


def _step(engine: Engine, frontier: list[int], side: dict[int, Hop | None], *, accepted: bool) -> list[int]:
    """The identifiers next to a frontier that were not seen from this side; notes how each was reached."""
    reached = []
    for hop in _hops(engine, frontier, accepted=accepted):
        if hop.end not in side:
            side[hop.end] = hop
            reached.append(hop.end)
    return reached


def _hops(engine: Engine, frontier: Iterable[int], *, accepted: bool) -> list[Hop]:
    condition = " and is_accepted" if accepted else ""
    rows = engine.rows(
        f"select {_EDGE} from {_EDGES} where left_key in (select unnest($keys)){condition}"
        f" union all select right_key, left_key, {_EDGE.partition('right_key, ')[2]} from {_EDGES}"
        f" where right_key in (select unnest($keys)){condition} order by 1, 2, 5 desc",
        {"keys": list(frontier)},
    )
    return [
        Hop(start, end, is_accepted, rule, trust, observed_at.astimezone(timezone.utc), body_key)
        for start, end, is_accepted, rule, trust, observed_at, body_key in rows
    ]


def _join(sides: tuple[Mapping[int, Hop | None], Mapping[int, Hop | None]], middle: int) -> list[Hop]:
    before, after = [_back(side, middle) for side in sides]
    return [*reversed(before), *map(_turned, after)]


def _back(side: Mapping[int, Hop | None], key: int) -> list[Hop]:
    hops = []
    while (hop := side[key]) is not None:
        hops.append(hop)
        key = hop.start
    return hops


def _turned(hop: Hop) -> Hop:
    fields: dict[str, Any] = {**vars(hop), "start": hop.end, "end": hop.start}
    return Hop(**fields)
