"""What a build misses and mixes up of what is known, against an oracle that looks at every pair by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.identity_truth import TruthReport, identity_against
from analytics.known_persons import MOST_PARTS, KnownPairs, KnownPersons, Pair
from models.errors import UsageError
from tests.analytics.builders import AS_OF, Asked

Edge = tuple[int, int, str]
#: An identifier is a number; that of a person of the build is the smallest one of the person.
NUMBERS = range(1, 9)
PAIRS = st.sets(st.sampled_from([*combinations(NUMBERS, 2)]), max_size=8)


class Graph(Asked):
    """A build in memory: the person of each identifier, and edges that a rule refused."""

    as_of = AS_OF

    def __init__(self, owner: Mapping[int, int], refused: list[Edge]) -> None:
        self.connection = _connection()
        self._fill("int_identity__owner", [(key, person, None) for key, person in owner.items()])
        self._fill("int_identity__identifier", [(key, "user_id", str(key), None) for key in owner])
        self._fill("int_identity__judged", [(*edge, False) for edge in refused])

    def _fill(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        self.connection.execute(f"delete from intermediate.{table}")
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            self.connection.executemany(f"insert into intermediate.{table} values ({marks})", rows)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    connection.execute("create schema intermediate")
    for table, columns in {
        "owner": "identifier_key bigint, person_key bigint, valid_from timestamptz",
        "identifier": "identifier_key bigint, id_type text, id_value text, email text",
        "judged": "left_key bigint, right_key bigint, refused_by text, is_accepted boolean",
    }.items():
        connection.execute(f"create table intermediate.int_identity__{table} ({columns})")
    return connection


def name(key: int) -> str:
    return f"user_id:{key}"


def refusals_between(start: int, end: int, owner: Mapping[int, int], refused: list[Edge]) -> int | None:
    """How many refused edges lie between two persons at least; None if nothing leads from one to the other."""
    reached, steps = {start}, 0
    while end not in reached:
        crossed = {owner[side] for edge in refused for side in edge[:2] if reached & {owner[end] for end in edge[:2]}}
        if crossed <= reached:
            return None
        reached, steps = reached | crossed, steps + 1
    return steps


def check(report: TruthReport, true: set[Pair], wrong: set[Pair], owner: Mapping[int, int], edges: list[Edge]) -> None:
    """Hold a report to the pairs that are one person's and those that the build alone says are."""
    found = {(left, right) for left, right in true if owner.get(left, -left) == owner.get(right, -right)}
    assert (report.pairs, report.found, report.missed) == (len(true), len(found), len(true - found))
    assert report.wrong == len(wrong)
    assert report.precision == (len(found) / len(found | wrong) if found | wrong else None)
    assert report.recall == (len(found) / len(true) if true else None)

    told: Counter[str] = Counter()
    listed: set[Pair] = set()
    keys = {name(key): key for key in NUMBERS}
    # A pair of identifiers that several persons have is counted with the first of these.
    for miss in sorted(report.misses, key=lambda miss: miss.person or ""):
        left, right = [[keys[text] for text in side] for side in (miss.a, miss.b)]
        pairs = {(min(one, other), max(one, other)) for one in left for other in right}
        if miss.reason == "never_seen":
            assert not owner.keys() & set(left)
            pairs |= set(combinations(sorted(left), 2))
        else:
            assert [len({owner[key] for key in side}) for side in (left, right)] == [1, 1]
            start, end = owner[left[0]], owner[right[0]]
            expected = refusals_between(start, end, owner, edges)
            assert expected == (len(miss.refusals) or None)
            assert miss.reason == (miss.refusals[0].rule if miss.refusals else "no_evidence")
            at = start
            for step in miss.refusals:
                one, other = keys[step.a], keys[step.b]
                assert (*sorted((one, other)), step.rule) in edges
                assert owner[one] == at
                at = owner[other]
            assert at == (end if miss.refusals else start)
        assert miss.pairs == len((pairs & true) - listed)
        listed |= pairs & true
        told[miss.reason] += miss.pairs
    assert listed == true - found
    assert {reason.reason: reason.pairs for reason in report.reasons} == told

    by_person = Counter(owner[left] for left, _ in wrong)
    assert sorted(merge.pairs for merge in report.merges) == sorted(by_person.values())
    for merge in report.merges:
        assert tuple(sorted((keys[merge.a], keys[merge.b]))) in wrong


@st.composite
def builds(draw: st.DrawFn) -> tuple[dict[int, int], list[Edge]]:
    """Owners of some identifiers, each person named after one of its own, and refused edges between two of them."""
    group = draw(st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 4), max_size=8))
    owner = {key: min(other for other in group if group[other] == group[key]) for key in group}
    edges = draw(PAIRS)
    rules = st.sampled_from(["hub", "cut", "limit:user_id"])
    return owner, [(*pair, draw(rules)) for pair in sorted(edges) if owner.keys() >= {*pair}]


@given(builds(), st.dictionaries(st.sampled_from(NUMBERS), st.sets(st.sampled_from("xyz"), min_size=1)))
def test_known_persons_are_compared_pair_by_pair(
    build: tuple[dict[int, int], list[Edge]], told: dict[int, set[str]]
) -> None:
    """Also where an identifier is several persons', and where the build does not know it."""
    owner, edges = build
    persons: dict[str, set[int]] = defaultdict(set)
    for key, of in told.items():
        for person in of:
            persons[person].add(key)
    known = KnownPersons(
        {key: name(key) for key in told}, {person: frozenset(keys) for person, keys in persons.items()}
    )
    every = set(combinations(sorted(told), 2))
    true = {pair for pair in every if told[pair[0]] & told[pair[1]]}
    wrong = {pair for pair in every - true if owner.keys() >= {*pair} and owner[pair[0]] == owner[pair[1]]}
    report = identity_against(Graph(owner, edges), known, truth="known")
    check(report, true, wrong, owner, edges)
    for merge in report.merges:
        assert len(merge.persons) > 1


@given(builds(), PAIRS, PAIRS)
def test_known_pairs_are_compared_one_by_one(
    build: tuple[dict[int, int], list[Edge]], same: set[Pair], different: set[Pair]
) -> None:
    """Pairs that are not told count neither way."""
    owner, edges = build
    different -= same
    known = KnownPairs({key: name(key) for key in NUMBERS}, tuple(same), tuple((b, a) for a, b in different))
    wrong = {pair for pair in different if owner.keys() >= {*pair} and owner[pair[0]] == owner[pair[1]]}
    check(identity_against(Graph(owner, edges), known, truth="known"), same, wrong, owner, edges)


def test_a_column_that_says_nothing_of_persons_is_refused() -> None:
    """One person for a whole file would be as many pairs as the square of its rows."""
    keys = range(MOST_PARTS + 1)
    known = KnownPersons({key: name(key) for key in keys}, {"": frozenset(keys)})
    with pytest.raises(UsageError, match=r"is 2,001 persons of the build, more than 2,000"):
        known.hold({key: key for key in keys})
