"""Who is who where a rule bites: the edges of one raw component, accepted or refused one after the other.

Outside such components every edge holds and plain connected components say who is who. Inside them the order matters,
so it is fixed: hand links, then signed edges, then unsigned ones, each by priority, time and event. An edge that would
break a limit, join what a cut keeps apart, or, unsigned, join two people who are both known, is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

#: Types of identifier that make somebody known: an unsigned edge never joins two people who each have one.
KNOWN_BY = frozenset({"user_id", "stripe_id"})


class Trust(IntEnum):
    """Who says that two identifiers are one person's; the smaller goes first."""

    HAND = 0
    SIGNED = 1  # our server, or a service that signs what it sends
    UNSIGNED = 2  # a browser


@dataclass(frozen=True, order=True)
class Edge:
    """Two identifiers that one event carried together, in the order in which edges are judged.

    Attributes:
        trust: who says so.
        priority: the rank of the pair's types; the smaller goes first.
        observed_at: when it was first seen: microseconds since 1970, UTC.
        event_id: the event that carried both.
        left, right: the keys of the identifiers, the smaller one first.
    """

    trust: Trust
    priority: int
    observed_at: int
    event_id: str
    left: int
    right: int


@dataclass(frozen=True)
class Limits:
    """What may not come together in one person.

    Attributes:
        most: the most identifiers of a type that one person may have, ever; a type that is not named may have any.
        cuts: pairs of identifiers that may not share a person, by whatever path.
    """

    most: Mapping[str, int] = field(default_factory=dict)
    cuts: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class Decision:
    """What became of an edge; ``rule`` says why it was refused: ``limit:<type>``, ``cut`` or ``unsigned``."""

    edge: Edge
    rule: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the two identifiers belong to one person because of this edge."""
        return self.rule is None


def resolve(types: Mapping[int, str], edges: Iterable[Edge], limits: Limits) -> list[Decision]:
    """Decide the edges of one raw component, or of several at once.

    Args:
        types: the type of each identifier, by its key.
        edges: all edges between them, in any order; each pair once.
        limits: what may not come together.

    Returns: a decision for each edge, in the order in which they were judged.
    """
    persons = _Persons(types, limits)
    return [Decision(edge, persons.judge(edge)) for edge in sorted(edges)]


class _Persons:
    """A forest of identifiers (union by size with path halving) that knows what each tree may not be joined with."""

    def __init__(self, types: Mapping[int, str], limits: Limits) -> None:
        self._most = sorted(limits.most.items())
        self._parent = {key: key for key in types}
        self._types = {key: Counter({type_: 1}) for key, type_ in types.items()}
        self._apart: dict[int, list[int]] = {key: [] for key in types}
        for left, right in limits.cuts:
            if left in self._parent and right in self._parent:
                self._apart[left].append(right)
                self._apart[right].append(left)

    def judge(self, edge: Edge) -> str | None:
        """Join the two persons of an edge, or say which rule forbids it."""
        left, right = self._root(edge.left), self._root(edge.right)
        if left == right:
            return None
        if self._types[left].total() < self._types[right].total():
            left, right = right, left
        rule = self._forbidding(edge, left, right)
        if rule is None:
            self._parent[right] = left
            self._types[left] += self._types.pop(right)
            self._apart[left] += self._apart.pop(right)
        return rule

    def _forbidding(self, edge: Edge, left: int, right: int) -> str | None:
        if self._are_apart(left, right):
            return "cut"
        for type_, most in self._most:
            mine, theirs = self._types[left][type_], self._types[right][type_]
            if mine and theirs and mine + theirs > most:
                return f"limit:{type_}"
        if edge.trust is Trust.UNSIGNED and self._is_known(left) and self._is_known(right):
            return "unsigned"
        return None

    def _are_apart(self, left: int, right: int) -> bool:
        fewer, other = sorted((left, right), key=lambda root: len(self._apart[root]))
        return any(self._root(partner) == other for partner in self._apart[fewer])

    def _is_known(self, root: int) -> bool:
        return any(self._types[root][type_] for type_ in KNOWN_BY)

    def _root(self, key: int) -> int:
        parent = self._parent
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key
