"""Which persons of one build are which of another: who merges, who splits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from analytics.query import Engine

#: The catalog under which the build with other rules is attached.
PREVIEW = "preview"
Kind = Literal["merge", "split", "regroup"]
KINDS: tuple[Kind, ...] = ("merge", "split", "regroup")


class Piece(NamedTuple):
    """What a person before and a person after have in common: so many identifiers."""

    before: int
    after: int
    identifiers: int


@dataclass(frozen=True)
class Group:
    """Persons before and after who share identifiers with each other and with nobody else; the largest piece first."""

    pieces: tuple[Piece, ...]
    before: int
    after: int

    @property
    def kind(self) -> Kind:
        """Whether several become one, one becomes several, or several others."""
        if self.after == 1:
            return "merge"
        return "split" if self.before == 1 else "regroup"


@dataclass(frozen=True)
class Regrouping:
    """All persons of two builds: ``same`` are one and the same in both, ``gone`` and ``added`` only in one.

    Always ``same + gone`` and the groups' ``before`` are the persons before, ``same + added`` and their ``after`` those
    after. Groups are in the order of their size.
    """

    before: int
    after: int
    same: int
    gone: int
    added: int
    groups: tuple[Group, ...]


def regrouping(engine: Engine) -> Regrouping:
    """Compare the persons of a build with those of the one that is attached as ``PREVIEW``."""
    [(before, after, met_before, met_after, same)] = engine.rows(f"{_PIECES}{_COUNTS}")
    pieces = engine.rows(f"{_PIECES}{_DIVIDED}")
    groups = tuple(group_pieces(Piece(*row) for row in pieces))
    return Regrouping(before, after, same, gone=before - met_before, added=after - met_after, groups=groups)


def group_pieces(pieces: Iterable[Piece]) -> list[Group]:
    """Put pieces together that have a person in common, the groups of most persons first."""
    found: dict[int, list[Piece]] = {}
    every = list(pieces)
    for piece, label in zip(every, _labels(every), strict=True):
        found.setdefault(label, []).append(piece)
    groups = [
        Group(
            tuple(sorted(own, key=lambda piece: (-piece.identifiers, piece.before, piece.after))),
            len({piece.before for piece in own}),
            len({piece.after for piece in own}),
        )
        for own in found.values()
    ]
    return sorted(groups, key=lambda group: (-group.before - group.after, group.pieces))


def _labels(pieces: Sequence[Piece]) -> Iterator[int]:
    """The group of each piece, named after one of its persons."""
    if not pieces:
        return iter(())
    import numpy as np

    from analytics.components import component_labels

    before = np.array([piece.before for piece in pieces], dtype=np.int64)
    # A person after may have the key of one before: keys are positive, so their complements are nobody's.
    after = ~np.array([piece.after for piece in pieces], dtype=np.int64)
    nodes, labels = component_labels(before, after)
    label_of = dict(zip(nodes.tolist(), labels.tolist(), strict=True))
    return map(label_of.__getitem__, before.tolist())


_PIECES = f"""
with owner_before as (
    select owner.identifier_key, owner.person_key
    from intermediate.int_identity__owner as owner
    inner join person on owner.person_key = person.person_key
    where owner.valid_from is null
),

owner_after as (
    select owner.identifier_key, owner.person_key
    from {PREVIEW}.intermediate.int_identity__owner as owner
    inner join {PREVIEW}.person as person on owner.person_key = person.person_key
    where owner.valid_from is null
),

piece as (
    select
        owner_before.person_key as key_before,
        owner_after.person_key as key_after,
        count(*) as identifiers
    from owner_before
    inner join owner_after on owner_before.identifier_key = owner_after.identifier_key
    group by owner_before.person_key, owner_after.person_key
),

divided as (
    select
        *,
        count(*) over (partition by key_before) > 1 or count(*) over (partition by key_after) > 1 as is_divided
    from piece
)
"""
_COUNTS = f"""
select
    (select count(*) from person) as persons_before,
    (select count(*) from {PREVIEW}.person) as persons_after,
    count(distinct key_before) as met_before,
    count(distinct key_after) as met_after,
    count(*) filter (where not is_divided) as same
from divided
"""
_DIVIDED = "select key_before, key_after, identifiers from divided where is_divided"
