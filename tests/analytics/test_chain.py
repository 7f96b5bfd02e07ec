"""Updates of one second: what each says it was before tells their order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.chain import Telling, in_order


def update(name: str, before: int | None, after: int, second: int = 5, **changes: int) -> Telling:
    """An update by an event."""
    given = {"is_snapshot": False, "type_rank": 1, "is_over": False} | changes
    return Telling(second=second, rest=(name,), before=before, after=after, name=(0, 0), **given)  # type: ignore[arg-type]


def names(tellings: Sequence[Telling]) -> str:
    """The names of tellings, in the order given, after any order of them was put in order."""
    found = {"".join(one.rest[0] for one in in_order(order)) for order in permutations(tellings)}
    assert len(found) == 1, found
    return found.pop()


@pytest.mark.parametrize(
    ("tellings", "expected"),
    [
        # Three in a row, told by ids that say the contrary.
        ([update("c", 1, 2), update("b", 2, 3), update("a", 3, 4)], "cba"),
        # To and fro: only what was before the second tells where it begins.
        ([update("x", 9, 1, second=4), update("b", 1, 2), update("a", 2, 1)], "xba"),
        ([update("x", 9, 2, second=4), update("b", 1, 2), update("a", 2, 1)], "xab"),
        # A way round is taken before the way out.
        ([update("x", 9, 1, second=4), update("a", 1, 3), update("b", 1, 2), update("c", 2, 1)], "xbca"),
        # What says no change stands where its state is.
        ([update("c", 1, 2), update("b", None, 2), update("a", 2, 3)], "cba"),
        # Broken: pieces by the id of their first, each in order.
        ([update("d", 1, 2), update("c", 2, 3), update("b", 7, 8), update("a", 8, 9)], "badc"),
        # Nothing says what was before, or nothing hangs together: by id.
        ([update("b", None, 1), update("a", None, 2)], "ab"),
        ([update("b", 1, 2), update("a", 3, 4)], "ab"),
        # The type goes before the chain, and answers of the API come behind it.
        ([update("b", 2, 1, type_rank=0), update("a", 1, 2)], "ba"),
        ([update("b", 1, 2), update("a", None, 1, is_snapshot=True)], "ba"),
        # What is over comes last where no chain says so.
        ([update("a", 1, 2, is_over=True), update("b", 3, 4)], "ba"),
    ],
)
def test_an_order_follows_from_what_is_told(tellings: list[Telling], expected: str) -> None:
    """In whatever order it arrives."""
    assert names(tellings) == expected


steps = st.tuples(st.none() | st.integers(1, 4), st.integers(1, 4))


@given(st.lists(steps, min_size=2, max_size=6), st.none() | st.integers(1, 4))
def test_it_is_the_first_of_the_orders_that_link_most(crowd: list[tuple[int | None, int]], state: int | None) -> None:
    """Of all permutations, by trying them."""
    told = [update(str(number), before, after) for number, (before, after) in enumerate(crowd)]
    first = [] if state is None else [update("-", None, state, second=4)]
    found = "".join(one.rest[0] for one in in_order([*reversed(told), *first]))
    assert found == ("" if state is None else "-") + _tried(told, state)


def _tried(told: list[Telling], state: int | None) -> str:
    if len({one.after for one in told}) == 1 or all(one.before in (None, one.after) for one in told):
        return "".join(one.rest[0] for one in told)
    start = [] if state is None else [update("-", None, state, second=4)]

    def links(order: Sequence[Telling]) -> int:
        return sum(one.after == other.step[0] for one, other in pairwise([*start, *order]))

    best = max(permutations(told), key=links)
    return "".join(one.rest[0] for one in best)


def test_a_long_chain_is_found_backwards() -> None:
    """Ids that fall while states go on."""
    told = [update(f"{900 - number:03}", number, number + 1) for number in range(60)]
    assert [one.step[0] for one in in_order(told)] == list(range(60))
