"""Who merges and who splits, against an oracle that walks from person to person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.identity_groups import PREVIEW, Group, Regrouping, regrouping
from tests.analytics.builders import AS_OF, Asked

#: Identifiers and their persons.
Owners = Mapping[int, int]
FEW = st.integers(min_value=1, max_value=9)


class TwoBuilds(Asked):
    """Two builds in memory, the second attached to the first; persons from ``silent`` on have no event in either."""

    as_of = AS_OF

    def __init__(self, before: Owners, after: Owners, silent: int = 100) -> None:
        self.connection = _connection()
        for catalog, owners in (("memory", before), (PREVIEW, after)):
            told = {person for person in owners.values() if person < silent}
            self._fill(f"{catalog}.main.person", sorted(told))
            self._fill(f"{catalog}.intermediate.int_identity__owner", [*owners], [*owners.values()])

    def _fill(self, table: str, *columns: list[int]) -> None:
        self.connection.execute(f"delete from {table}")
        values = ", ".join("unnest(?::bigint[])" for _ in columns)
        more = ", null" if len(columns) > 1 else ""
        self.connection.execute(f"insert into {table} select {values}{more}", [*columns])

    def compared(self) -> Regrouping:
        return regrouping(self)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    connection.execute(f"attach ':memory:' as {PREVIEW}")
    for catalog in ("memory", PREVIEW):
        connection.execute(f"create table {catalog}.main.person (person_key bigint)")
        connection.execute(f"create schema {catalog}.intermediate")
        connection.execute(
            f"create table {catalog}.intermediate.int_identity__owner"
            " (identifier_key bigint, person_key bigint, valid_from timestamptz)"
        )
    return connection


def oracle(before: Owners, after: Owners, silent: int) -> set[tuple[frozenset[int], frozenset[int]]]:
    """The persons before and after that hang together, by walking from each."""
    found = set()
    sides = [{person for person in owners.values() if person < silent} for owners in (before, after)]
    shared = {
        (before[one], after[one])
        for one in before.keys() & after.keys()
        if before[one] in sides[0] and after[one] in sides[1]
    }
    starts = [({person}, set()) for person in sides[0]] + [(set(), {person}) for person in sides[1]]
    for was, becomes in starts:
        while True:
            more = {pair for pair in shared if pair[0] in was or pair[1] in becomes}
            wider = was | {one for one, _ in more}, becomes | {one for _, one in more}
            if wider == (was, becomes):
                break
            was, becomes = wider
        found.add((frozenset(was), frozenset(becomes)))
    return found


def persons(group: Group) -> tuple[frozenset[int], frozenset[int]]:
    """Who is in a group, before and after."""
    return frozenset(piece.before for piece in group.pieces), frozenset(piece.after for piece in group.pieces)


@settings(max_examples=150)
@given(before=st.dictionaries(FEW, FEW), after=st.dictionaries(FEW, FEW), silent=st.integers(5, 10))
def test_groups_are_those_of_the_oracle(before: Owners, after: Owners, silent: int) -> None:
    """Whatever identifiers come, go and change hands; keys of persons before and after may be equal."""
    found = TwoBuilds(before, after, silent).compared()
    expected = oracle(before, after, silent)
    assert {persons(group) for group in found.groups} == {(a, b) for a, b in expected if len(a) + len(b) > 2}
    shapes = Counter((len(a), len(b)) for a, b in expected)
    assert (found.same, found.gone, found.added) == (shapes[1, 1], shapes[1, 0], shapes[0, 1])
    assert found.before == found.same + found.gone + sum(group.before for group in found.groups)
    assert found.after == found.same + found.added + sum(group.after for group in found.groups)
    common = Counter((before[one], after[one]) for one in before.keys() & after.keys())
    for group in found.groups:
        assert (group.before, group.after) == tuple(map(len, persons(group)))
        assert all(common[piece.before, piece.after] == piece.identifiers for piece in group.pieces)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({1: 1, 2: 2, 3: 3}, {1: 1, 2: 1, 3: 3}, ["merge"]),
        ({1: 1, 2: 1, 3: 3}, {1: 1, 2: 2, 3: 3}, ["split"]),
        # The identifier in the middle goes from one person to the other.
        ({1: 1, 2: 1, 3: 3}, {1: 1, 2: 2, 3: 2}, ["regroup"]),
        # A person is named after another identifier, and that is all.
        ({1: 1, 2: 1}, {1: 2, 2: 2}, []),
        # What is cut off never spoke for an event: it is nobody.
        ({1: 1, 2: 1}, {1: 1, 2: 100}, []),
        # The largest group first.
        ({1: 1, 2: 1, 3: 3, 4: 4, 5: 5}, {1: 1, 2: 2, 3: 3, 4: 3, 5: 3}, ["merge", "split"]),
    ],
)
def test_kinds_of_groups(before: Owners, after: Owners, kinds: list[str]) -> None:
    """Merges, splits, and both at once."""
    assert [group.kind for group in TwoBuilds(before, after).compared().groups] == kinds
