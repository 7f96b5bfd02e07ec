"""Shortest paths in the graph of identifiers, read from both ends a step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Self, TypeVar

from analytics.query import Engine

#: A path through more identifiers than this is not looked for.
MOST_IDENTIFIERS = 200_000
_EDGES = "intermediate.int_identity__judged"
_EDGE = "left_key, right_key, is_accepted, refused_by, trust, observed_at, body_key"


@dataclass(frozen=True)
class Between:
    """An undirected edge, seen from one of its ends."""

    start: int
    end: int

    def turned(self) -> Self:
        """The same edge, seen from its other end."""
        return replace(self, start=self.end, end=self.start)


Link = TypeVar("Link", bound=Between)


@dataclass(frozen=True)
class Hop(Between):
    """One edge of a path: two identifiers that one event carried together, or a link by hand."""

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
    return path_between(
        start, end, lambda frontier: _hops(engine, frontier, accepted=accepted), most_nodes=MOST_IDENTIFIERS
    )


def path_between(
    start: int, end: int, hops_from: Callable[[list[int]], Iterable[Link]], *, most_nodes: int | None = None
) -> list[Link] | None:
    """The fewest hops from one node of an undirected graph to another.

    Args:
        start, end: two nodes.
        hops_from: the hops that begin at some nodes; the first of several to one node is taken.
        most_nodes: how many nodes may be looked at.

    Returns: None if no path joins them.

    Raises:
        PathTooFar: if more would have to be looked at.
    """
    if start == end:
        return []
    sides: tuple[dict[int, Link | None], dict[int, Link | None]] = ({start: None}, {end: None})
    frontiers = [[start], [end]]
    while all(frontiers):
        # The smaller side goes on: what lies behind the one neighbour of both is not looked at.
        number = min((0, 1), key=lambda side: (len(frontiers[side]), len(sides[side])))
        side, other = sides[number], sides[1 - number]
        reached = []
        for hop in hops_from(frontiers[number]):
            if hop.end not in side:
                side[hop.end] = hop
                reached.append(hop.end)
        frontiers[number] = reached
        met = sorted(key for key in reached if key in other)
        if met:
            return _join(sides, met[0])
        if most_nodes is not None and len(side) + len(other) > most_nodes:
            raise PathTooFar
    return None


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


def _join(sides: tuple[Mapping[int, Link | None], Mapping[int, Link | None]], middle: int) -> list[Link]:
    before, after = [_back(side, middle) for side in sides]
    return [*reversed(before), *(hop.turned() for hop in after)]


def _back(side: Mapping[int, Link | None], key: int) -> list[Link]:
    hops = []
    while (hop := side[key]) is not None:
        hops.append(hop)
        key = hop.start
    return hops
