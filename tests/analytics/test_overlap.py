"""How segments overlap."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import get_segment_overlap, overlap
from analytics.spec import make_spec
from models.errors import UsageError
from tests.analytics.builders import DAY_0, Stay, TinyWarehouse, journey, stay, when
from tests.analytics.oracles import members_at


def test_two_segments_and_everybody() -> None:
    """Ada is in both, Bob and Cy in one each, Dan in none: every share and every region."""
    stays = [
        stay("power", "ada", "d0"),
        stay("paying", "ada", "d1"),
        stay("power", "bob", "d0"),
        stay("paying", "cy", "d0"),
    ]
    warehouse = TinyWarehouse(journey("dan", visit="d0"), stays=stays)
    assert get_segment_overlap(warehouse, ["power", "paying"]).to_json() == {
        "count": 1,
        "percentage": 0.25,
        "ofUnion": 1 / 3,
        "ofEach": {"power": 0.5, "paying": 0.5},
        "union": 3,
        "persons": 4,
        "sizes": {"power": 2, "paying": 2},
        "pairs": [
            {"a": "power", "b": "paying", "count": 1, "ofA": 0.5, "ofB": 0.5, "jaccard": 1 / 3, "lift": 1.0},
        ],
        "regions": [
            {"segments": ["power"], "count": 1},
            {"segments": ["paying"], "count": 1},
            {"segments": ["power", "paying"], "count": 1},
        ],
        "asOf": "2026-07-01T00:00:00Z",
    }


@pytest.mark.parametrize(("as_of", "count"), [("d4 23:59:59", 0), ("d5", 1), ("d8 23:59:59", 1), ("d9", 0)])
def test_a_stay_is_half_open(as_of: str, count: int) -> None:
    """Who enters at a moment is in; who leaves at it is out; future ends are cut at as_of."""
    warehouse = TinyWarehouse(stays=[stay("a", "ada", "d0"), stay("b", "ada", "d5", "d9")])
    assert get_segment_overlap(warehouse, ["a", "b"], as_of=when(as_of)).count == count


def test_persons_are_those_that_exist_by_then() -> None:
    """The denominator is cut at as_of like the members."""
    warehouse = TinyWarehouse(journey("late", visit="d50"), stays=[stay("a", "ada", "d0"), stay("b", "ada", "d0")])
    assert get_segment_overlap(warehouse, ["a", "b"], as_of=when("d9")).persons == 1


def test_a_segment_that_is_defined_and_empty() -> None:
    """Nobody in it: counts of nought, no shares of it."""
    warehouse = TinyWarehouse(stays=[stay("a", "ada", "d0")], segments=("a", "b"))
    result = get_segment_overlap(warehouse, ["a", "b"])
    assert (result.count, result.percentage, result.of_each) == (0, 0.0, {"a": 0.0, "b": None})
    result.table()


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        (["power"], "an overlap has 2 to 20 segments; given: 1"),
        (["a"] * 101, "given: 101"),
        (["power", "power"], "segment 'power' is given twice"),
        (["power", "pwer"], "unknown segment 'pwer' (did you mean 'power'?)"),
        (["power", "x' or true --"], "unknown segment"),
        (["power", "Power"], "unknown segment 'Power' (did you mean 'power'?)"),
    ],
)
def test_a_question_that_cannot_be_asked(segments: list[str], message: str) -> None:
    """One line that says what would be accepted."""
    warehouse = TinyWarehouse(stays=[stay("power", "ada", "d0")], segments=("power", "paying"))
    with pytest.raises(UsageError) as error:
        overlap.run(warehouse, make_spec(overlap.OverlapSpec, segments=segments))
    assert message in str(error.value)


NAMES = ("a", "b", "c", "d")


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from(NAMES), st.integers(0, 8), st.none() | st.integers(1, 6)),
        max_size=30,
    ),
    segments=st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True),
    as_of=st.integers(0, 10),
)
@settings(max_examples=80)
def test_overlap_equals_its_oracle(
    rows: list[tuple[int, str, int, int | None]], segments: list[str], as_of: int
) -> None:
    """Sizes, pairs, regions and shares are those of Python's sets."""
    stays = [
        Stay(
            name,
            f"p{person}",
            DAY_0 + timedelta(days=first),
            None if length is None else DAY_0 + timedelta(days=first + length),
        )
        for person, name, first, length in rows
    ]
    now = DAY_0 + timedelta(days=as_of)
    warehouse = TinyWarehouse(journey("nobody", visit="d0"), stays=stays, segments=NAMES, as_of=now)
    result = get_segment_overlap(warehouse, segments)
    warehouse.close()
    sets: dict[str, set[str]] = {name: members_at(stays, name, now) for name in segments}
    union, common = set.union(*sets.values()), set.intersection(*sets.values())
    assert (result.count, result.union, result.sizes) == (
        len(common),
        len(union),
        {name: len(found) for name, found in sets.items()},
    )
    assert {(pair.a, pair.b): pair.count for pair in result.pairs} == {
        (a, b): len(sets[a] & sets[b]) for a, b in combinations(segments, 2)
    }
    regions: dict[Any, int] = {}
    for person in union:
        inside = tuple(name for name in segments if person in sets[name])
        regions[inside] = regions.get(inside, 0) + 1
    assert {region.segments: region.count for region in result.regions} == regions
