"""Edges in contested components, against an oracle that looks at everything anew for each edge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.identity import Decision, Edge, Limits, Trust, resolve

TYPES = ("user_id", "email", "stripe_id", "anonymous_id")
NO_LIMITS = Limits()
ONE_USER = Limits({"user_id": 1})


def edge(left: int, right: int, at: int = 0, trust: Trust = Trust.SIGNED, priority: int = 0) -> Edge:
    """An edge that was observed at a time, by the event of that number."""
    return Edge(trust, priority, at, f"e{at}", min(left, right), max(left, right))


def refusals(decisions: Sequence[Decision]) -> dict[tuple[int, int], str]:
    """The rules that refused edges, by their ends."""
    return {(one.edge.left, one.edge.right): one.rule for one in decisions if one.rule}


def components(keys: Sequence[int], edges: Sequence[Edge]) -> dict[int, frozenset[int]]:
    """Who hangs together, by walking from each."""
    neighbours: dict[int, set[int]] = {key: set() for key in keys}
    for one in edges:
        neighbours[one.left].add(one.right)
        neighbours[one.right].add(one.left)
    found = {}
    for key in keys:
        seen, waiting = {key}, [key]
        while waiting:
            fresh = neighbours[waiting.pop()] - seen
            seen |= fresh
            waiting += fresh
        found[key] = frozenset(seen)
    return found


def oracle(types: Mapping[int, str], edges: Sequence[Edge], limits: Limits) -> dict[Edge, bool]:
    """Accept an edge if the person that it would make breaks no rule; everything is looked at anew each time."""
    accepted: list[Edge] = []
    outcome = {}
    for one in sorted(edges):
        before, after = components([*types], accepted), components([*types], [*accepted, one])
        person, left, right = after[one.left], before[one.left], before[one.right]
        kinds = Counter(types[key] for key in person)
        is_new = left != right
        is_fine = (
            all(kinds[type_] <= most for type_, most in limits.most.items())
            and not any(first in person and second in person for first, second in limits.cuts)
            and not (
                one.trust is Trust.UNSIGNED
                and all(any(types[key] in ("user_id", "stripe_id") for key in side) for side in (left, right))
            )
        )
        outcome[one] = not is_new or is_fine
        if outcome[one]:
            accepted.append(one)
    return outcome


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[int, str], list[Edge], Limits]:
    """Small graphs with limits and cuts; a limit of a type is at least one."""
    size = draw(st.integers(2, 9))
    types = {key: draw(st.sampled_from(TYPES)) for key in range(size)}
    pairs = draw(
        st.lists(
            st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda pair: pair[0] < pair[1]),
            unique=True,
            max_size=16,
        )
    )
    edges = [
        Edge(draw(st.sampled_from(Trust)), draw(st.integers(0, 2)), draw(st.integers(0, 5)), f"e{number}", left, right)
        for number, (left, right) in enumerate(pairs)
    ]
    most = draw(st.dictionaries(st.sampled_from(TYPES), st.integers(1, 3), max_size=3))
    cuts = draw(st.lists(st.sampled_from(pairs), max_size=2)) if pairs else []
    ends = draw(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda pair: pair[0] < pair[1]))
    return types, edges, Limits(most, frozenset([*cuts, *([ends] if draw(st.booleans()) else [])]))


@settings(max_examples=300)
@given(graphs(), st.randoms(use_true_random=False))
def test_every_decision_is_the_oracles(
    graph: tuple[dict[int, str], list[Edge], Limits], shuffler: random.Random
) -> None:
    """Whatever the order in which the edges are handed in."""
    types, edges, limits = graph
    shuffled = shuffler.sample(edges, len(edges))
    decisions = resolve(types, shuffled, limits)
    assert {one.edge: one.is_accepted for one in decisions} == oracle(types, edges, limits)
    persons = components([*types], [one.edge for one in decisions if one.is_accepted])
    for person in persons.values():
        kinds = Counter(types[key] for key in person)
        assert all(kinds[type_] <= most for type_, most in limits.most.items())
        assert not any(left in person and right in person for left, right in limits.cuts)


@pytest.mark.parametrize(
    ("types", "edges", "limits", "refused"),
    [
        pytest.param(
            {1: "user_id", 2: "email", 3: "user_id"},
            [edge(1, 2, at=2), edge(2, 3, at=1)],
            ONE_USER,
            {(1, 2): "limit:user_id"},
            id="the earlier sight keeps a shared address",
        ),
        pytest.param(
            {1: "user_id", 2: "email", 3: "user_id"},
            [edge(1, 2, at=2), edge(2, 3, at=1, trust=Trust.UNSIGNED)],
            ONE_USER,
            {(2, 3): "limit:user_id"},
            id="what a server says goes before what a browser said earlier",
        ),
        pytest.param(
            {1: "user_id", 2: "email", 3: "user_id"},
            [edge(1, 2, at=1), edge(2, 3, at=1, trust=Trust.HAND)],
            ONE_USER,
            {(1, 2): "limit:user_id"},
            id="a hand link goes before everything",
        ),
        pytest.param(
            {1: "user_id", 2: "email", 3: "user_id"},
            [edge(1, 2, at=1), edge(2, 3, at=0, priority=1)],
            ONE_USER,
            {(2, 3): "limit:user_id"},
            id="the more telling pair goes before the earlier one",
        ),
        pytest.param(
            {1: "user_id", 2: "email", 3: "anonymous_id", 4: "device_id"},
            [edge(1, 2, at=1), edge(2, 3, at=2), edge(1, 4, at=3), edge(3, 4, at=4)],
            Limits(cuts=frozenset({(1, 3)})),
            {(2, 3): "cut", (3, 4): "cut"},
            id="a cut holds on every path",
        ),
        pytest.param(
            {1: "user_id", 2: "stripe_id", 3: "email"},
            [edge(1, 3, at=1), edge(2, 3, at=2, trust=Trust.UNSIGNED)],
            NO_LIMITS,
            {(2, 3): "unsigned"},
            id="a browser does not join two who are known",
        ),
        pytest.param(
            {1: "user_id", 2: "stripe_id", 3: "email"},
            [edge(1, 2, at=3), edge(1, 3, at=1), edge(2, 3, at=2, trust=Trust.UNSIGNED)],
            NO_LIMITS,
            {},
            id="an edge within a person is never refused",
        ),
        pytest.param(
            {1: "email", 2: "email", 3: "email", 4: "user_id"},
            [edge(1, 4, at=1), edge(2, 4, at=2), edge(3, 4, at=3)],
            Limits({"email": 2}),
            {(3, 4): "limit:email"},
            id="the last of too many addresses stays outside",
        ),
        pytest.param(
            {1: "user_id", 2: "user_id"},
            [edge(1, 2, trust=Trust.HAND)],
            ONE_USER,
            {(1, 2): "limit:user_id"},
            id="not even a hand link breaks a limit",
        ),
    ],
)
def test_which_rule_refuses(
    types: dict[int, str], edges: list[Edge], limits: Limits, refused: dict[tuple[int, int], str]
) -> None:
    """One case for each rule and each place in the order."""
    assert refusals(resolve(types, edges, limits)) == refused


def test_a_long_chain_is_decided_in_one_go() -> None:
    """A hundred thousand identifiers in a row, with a limit that cuts it into pieces."""
    size = 100_000
    types = {key: "user_id" if key % 10 == 0 else "email" for key in range(size)}
    decisions = resolve(types, [edge(key, key + 1, at=key) for key in range(size - 1)], ONE_USER)
    assert set(refusals(decisions).values()) == {"limit:user_id"}
    assert sum(not one.is_accepted for one in decisions) == size // 10 - 1
