"""The order of updates of one object told with one time: what each says it was before tells which was first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, order=True)
class Telling:
    """What one delivery tells of an object, in the order of time as far as no chain is looked at.

    Attributes:
        second: when it was told, in whole seconds.
        is_snapshot: whether it is an answer of the API, which comes behind the events of its second.
        type_rank: 0 for a creation, 1 for an update, 2 for a deletion.
        is_over: whether the object is over by it.
        rest: what else tells tellings apart.
        before, after: keys of the states that it says the object was and is in; one that does not say what was
            before has None.
        name: how the caller knows it.
    """

    second: int
    is_snapshot: bool
    type_rank: int
    is_over: bool
    rest: tuple[Any, ...]
    before: int | None = field(compare=False)
    after: int = field(compare=False)
    name: tuple[int, int] = field(compare=False)

    @property
    def step(self) -> tuple[int, int]:
        """From which state to which; what says no change was told in the state it tells."""
        return (self.after if self.before is None else self.before), self.after


def in_order(tellings: Iterable[Telling]) -> list[Telling]:
    """All tellings of one object, in the order of time; updates of one second as a chain."""
    ordered: list[Telling] = []
    crowd: list[Telling] = []
    for telling in sorted(tellings):
        if crowd and _place(telling) != _place(crowd[0]):
            ordered += _chained(crowd, ordered[-1].after if ordered else None)
            crowd = []
        crowd.append(telling)
    return ordered + _chained(crowd, ordered[-1].after if ordered else None)


def _place(telling: Telling) -> tuple[int, bool, int]:
    return telling.second, telling.is_snapshot, telling.type_rank


def _chained(crowd: Sequence[Telling], state: int | None) -> list[Telling]:
    """Tellings that come sorted, in the order in which most of them begin where the one before ended.

    ``state`` is where the first should begin. Of several such orders the first counts, by the order given.
    """
    left, ordered = list(crowd), []
    while len(left) > 1 and _is_chain(crowd):
        steps = Counter(telling.step for telling in left)
        most, tried = _most_links(steps, state), set()
        begins = most > _most_links(steps, None)
        for telling in left:
            before, after = step = telling.step
            if step in tried or (begins and before != state):
                continue
            tried.add(step)
            if (before == state) + _most_links(steps - Counter([step]), after) == most:
                break
        left.remove(telling)
        ordered.append(telling)
        state = after
    return ordered + left


def _is_chain(crowd: Sequence[Telling]) -> bool:
    """Whether it matters and is told: updates by events to several states, of which one says what was before."""
    return (
        (crowd[0].is_snapshot, crowd[0].type_rank) == (False, 1)
        and len({telling.after for telling in crowd}) > 1
        and any(telling.before not in (None, telling.after) for telling in crowd)
    )


def _most_links(steps: Counter[tuple[int, int]], state: int | None) -> int:
    """How many steps can begin where the one before them ended, at best; the first of all at ``state``.

    Steps are the edges of a graph of states, and an unbroken row of them is a trail. A part of the graph that hangs
    together takes as many trails as steps leave its states more often than they come to them, and at least one
    (Euler); within a trail all steps but the first are linked.
    """
    surplus: Counter[int] = Counter()
    above: dict[int, int] = {}
    for (before, after), count in steps.items():
        surplus[before] += count
        surplus[after] -= count
        above[_top(above, before)] = _top(above, after)
    trails: dict[int, int] = defaultdict(int)
    for node, excess in surplus.items():
        trails[_top(above, node)] += max(excess, 0)
    links = steps.total() - sum(max(count, 1) for count in trails.values())
    if state is not None and state in surplus and (surplus[state] > 0 or not trails[_top(above, state)]):
        links += 1
    return links


def _top(above: dict[int, int], node: int) -> int:
    while above.get(node, node) != node:
        node = above[node]
    return node
