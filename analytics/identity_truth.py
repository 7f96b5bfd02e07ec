"""How well a build knows who is who, by what is known from elsewhere: what it misses, and why, and what it mixes up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analytics.components import component_labels
from analytics.identifiers import identifiers_of
from analytics.identity_paths import Between, path_between
from analytics.known_persons import KnownPairs, KnownPersons, Merged, Missed
from analytics.query import Engine
from analytics.statistic import share
from analytics.table import Column, Sheet, Table, first_rows, percent
from models.base import Moment, Shape

#: Reasons that are no rule of a refusal.
NEVER_SEEN, NO_EVIDENCE = "never_seen", "no_evidence"
_WORDS = {
    NEVER_SEEN: "no event carried A, or only as a value that identifies nobody",
    NO_EVIDENCE: "no event, and no chain of events, carried both",
}


class Refused(Shape):
    """Two identifiers that came together, and the rule that kept them from joining their persons."""

    a: str
    b: str
    rule: str


class Miss(Shape):
    """Identifiers that are one person's and lie apart: all of ``a`` from all of ``b``, in so many pairs.

    Those of ``never_seen`` are ``a``, and are missed among each other, too. Else ``reason`` is the rule of the first of
    ``refusals``, the fewest that would have to be lifted, or ``no_evidence``.
    """

    person: str | None
    a: tuple[str, ...]
    b: tuple[str, ...]
    pairs: int
    reason: str
    refusals: tuple[Refused, ...]


class WrongMerge(Shape):
    """A person of the build who has identifiers of several: ``a`` and ``b`` are two of them."""

    person_id: str
    persons: tuple[str, ...]
    a: str
    b: str
    pairs: int


class MissedFor(Shape):
    """How many pairs are missed for a reason."""

    reason: str
    pairs: int


class TruthReport(Shape):
    """Pairs of identifiers that are known to be one person's, against the persons of a build.

    ``precision`` is ``found / (found + wrong)``, ``recall`` ``found / pairs``; null where there is nothing to divide.
    """

    truth: str
    identifiers: int
    pairs: int
    found: int
    missed: int
    wrong: int
    precision: float | None
    recall: float | None
    reasons: tuple[MissedFor, ...]
    misses: tuple[Miss, ...]
    merges: tuple[WrongMerge, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        misses = first_rows(
            (
                *(Column("person"), Column("a"), Column("b"), Column("pairs", "count")),
                *(Column("reason"), Column("why")),
            ),
            tuple(
                (miss.person, _some(miss.a), _some(miss.b), miss.pairs, miss.reason, _why(miss)) for miss in self.misses
            ),
            title="Missed (gdp identity explain A B tells more)",
            what="misses",
        )
        merges = first_rows(
            (Column("person of the build"), Column("persons"), Column("a"), Column("b"), Column("pairs", "count")),
            tuple(
                (merge.person_id, _some(merge.persons) or None, merge.a, merge.b, merge.pairs) for merge in self.merges
            ),
            title="Mixed up (gdp identity explain A B says by which events)",
            what="persons",
        )
        reasons = Table(
            (Column("reason"), Column("pairs", "count")),
            tuple((reason.reason, reason.pairs) for reason in self.reasons),
            "Missed, by reason",
        )
        return Sheet(
            f"Identity against {self.truth}",
            (
                f"{self.identifiers:,} identifiers make {self.pairs:,} pairs that are one person's.",
                f"Recall {percent(self.recall)}: {self.found:,} of them are one person's in the build, too.",
                f"Precision {percent(self.precision)}: {self.wrong:,} pairs of several persons are one's in the build.",
            ),
            tuple(table for table in (reasons, misses, merges) if table.rows),
        )


def identity_against(engine: Engine, known: KnownPersons | KnownPairs, *, truth: str) -> TruthReport:
    """Hold the persons of a build against what is known of who is who.

    A shared device counts as the device's own person, whatever turns users had with it.

    Args:
        engine: the warehouse.
        known: what is known.
        truth: what to call it.

    Raises:
        UsageError: if a person of it is too many persons of the build to be told.
    """
    owner = dict(engine.rows(_OWNERS, {"keys": list(known.names)}))
    held = known.hold(owner)
    wrong = sum(merge.pairs for merge in held.merged)
    misses = _misses(engine, held.missed, known.names, owner)
    pairs_for = Counter[str]()
    for miss in misses:
        pairs_for[miss.reason] += miss.pairs
    return TruthReport(
        truth=truth,
        identifiers=len(known.names),
        pairs=held.true,
        found=held.found,
        missed=held.true - held.found,
        wrong=wrong,
        precision=share(held.found, held.found + wrong),
        recall=share(held.found, held.true),
        reasons=tuple(MissedFor(reason=reason, pairs=pairs) for reason, pairs in pairs_for.most_common()),
        misses=misses,
        merges=_merges(engine, held.merged, known.names),
        as_of=engine.as_of,
    )


def _misses(
    engine: Engine, missed: Iterable[Missed], names: Mapping[int, str], owner: Mapping[int, int]
) -> tuple[Miss, ...]:
    """Each with the refusals that lie between, those of most pairs first."""
    told = sorted(missed, key=lambda miss: -miss.pairs)
    if not told:
        return ()
    refused = _RefusedEdges(engine)
    paths = [_path(miss, owner, refused) for miss in told]
    ends = {key for path in paths for edge in path or () for key in (edge.left, edge.right)}
    found = identifiers_of(engine, ends - names.keys())
    named = {**names, **{key: str(identifier) for key, identifier in found.items()}}
    return tuple(_miss(miss, path, named) for miss, path in zip(told, paths, strict=True))


@dataclass(frozen=True)
class _RefusedEdge(Between):
    """An edge from one person to another that does not join them: ``left`` of the one, ``right`` of the other."""

    left: int
    right: int
    rule: str

    def turned(self) -> _RefusedEdge:
        return replace(self, start=self.end, end=self.start, left=self.right, right=self.left)


class _RefusedEdges:
    """The graph of persons that refused edges make."""

    def __init__(self, engine: Engine) -> None:
        edges = [_RefusedEdge(*row) for row in engine.rows(_REFUSED)]
        self._from: dict[int, list[_RefusedEdge]] = defaultdict(list)
        for edge in edges:
            self._from[edge.start].append(edge)
            self._from[edge.end].append(edge.turned())
        nodes, labels = component_labels(
            np.array([edge.start for edge in edges], dtype=np.int64),
            np.array([edge.end for edge in edges], dtype=np.int64),
        )
        self._label = dict(zip(nodes.tolist(), labels.tolist(), strict=True))

    def path(self, start: int, end: int) -> list[_RefusedEdge]:
        """The fewest edges that lead from one person to another; none where nothing does."""
        if start not in self._label or self._label[start] != self._label.get(end):
            return []
        return path_between(start, end, self._leaving) or []

    def _leaving(self, persons: Iterable[int]) -> Iterable[_RefusedEdge]:
        return (edge for person in persons for edge in self._from[person])


def _path(miss: Missed, owner: Mapping[int, int], refused: _RefusedEdges) -> list[_RefusedEdge] | None:
    """None where the build does not know the identifiers."""
    if miss.left[0] not in owner:
        return None
    return refused.path(owner[miss.left[0]], owner[miss.right[0]])


def _miss(miss: Missed, path: list[_RefusedEdge] | None, names: Mapping[int, str]) -> Miss:
    return Miss(
        person=miss.person,
        a=tuple(names[key] for key in miss.left),
        b=tuple(names[key] for key in miss.right),
        pairs=miss.pairs,
        reason=NEVER_SEEN if path is None else path[0].rule if path else NO_EVIDENCE,
        refusals=tuple(Refused(a=names[edge.left], b=names[edge.right], rule=edge.rule) for edge in path or ()),
    )


def _merges(engine: Engine, merged: Iterable[Merged], names: Mapping[int, str]) -> tuple[WrongMerge, ...]:
    told = sorted(merged, key=lambda merge: -merge.pairs)
    survivors = identifiers_of(engine, {merge.person_key for merge in told})
    return tuple(
        WrongMerge(
            person_id=survivors[merge.person_key].alias,
            persons=merge.persons,
            a=names[merge.left],
            b=names[merge.right],
            pairs=merge.pairs,
        )
        for merge in told
    )


def _some(names: tuple[str, ...]) -> str:
    """The first of some names, and how many there are besides."""
    return f"{names[0]} and {len(names) - 1:,} more" if len(names) > 1 else "".join(names)


def _why(miss: Miss) -> str:
    if not miss.refusals:
        return _WORDS[miss.reason]
    return "; ".join(f"{edge.a} and {edge.b} came together, refused: {edge.rule}" for edge in miss.refusals)


_OWNERS = """
select identifier_key, person_key
from intermediate.int_identity__owner
where valid_from is null and identifier_key in (select unnest($keys))
"""
_REFUSED = """
select one.person_key, other.person_key, edge.left_key, edge.right_key, edge.refused_by
from intermediate.int_identity__judged as edge
inner join intermediate.int_identity__owner as one on edge.left_key = one.identifier_key
inner join intermediate.int_identity__owner as other on edge.right_key = other.identifier_key
where
    not edge.is_accepted
    and one.valid_from is null
    and other.valid_from is null
    and one.person_key <> other.person_key
order by edge.left_key, edge.right_key
"""
