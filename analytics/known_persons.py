"""Who is who as somebody else knows it, held against the persons of a build, pair by pair of identifiers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

from models.errors import UsageError

#: A known person who is more persons of the build than this is a mistake of the file: pairs grow with the square.
MOST_PARTS = 2_000
Pair = tuple[int, int]


@dataclass(frozen=True)
class Missed:
    """Two sets of identifiers that are one person's and lie apart.

    Attributes:
        person: what the file calls the person; None where it tells pairs.
        left, right: keys of identifiers; those on a side belong to one person of the build. Of identifiers that the
            build does not know: they are ``left``, and missed among each other, too.
        pairs: how many pairs of identifiers are missed, each counted once in all.
    """

    person: str | None
    left: tuple[int, ...]
    right: tuple[int, ...]
    pairs: int


@dataclass(frozen=True)
class Merged:
    """A person of the build who has identifiers of several; ``left`` and ``right`` are two of them.

    ``persons`` are those of the file, none where it tells pairs.
    """

    person_key: int
    persons: tuple[str, ...]
    left: int
    right: int
    pairs: int


@dataclass(frozen=True)
class Held:
    """Pairs of identifiers: ``true`` are one person's, of which ``found`` are so in the build, too."""

    true: int
    found: int
    missed: tuple[Missed, ...]
    merged: tuple[Merged, ...]


@dataclass(frozen=True)
class KnownPersons:
    """Persons and all that is known to be theirs; what several had (a device) is in several.

    Attributes:
        names: identifiers as ``type:value``, by their keys.
        persons: keys of identifiers by what the file calls their person.
    """

    names: Mapping[int, str]
    persons: Mapping[str, frozenset[int]]

    def hold(self, owner: Mapping[int, int]) -> Held:
        """Compare all pairs of the identifiers with the person of each in a build, by their keys.

        Raises:
            UsageError: if a person is more than ``MOST_PARTS`` persons of the build.
        """
        told = _by_identifier(self.persons)
        shared = {key for key, persons in told.items() if len(persons) > 1}
        seen: set[Pair] = set()
        true, found, missed = 0, Counter[int](), list[Missed]()
        for person, keys in sorted(self.persons.items()):
            pairs = set(combinations(sorted(keys & shared), 2))
            counted = pairs & seen
            seen |= pairs
            true += comb(len(keys), 2) - len(counted)
            parts, unknown = _parts(keys, owner)
            if len(parts) > MOST_PARTS:
                raise UsageError(
                    f"person {person!r} of the file is {len(parts):,} persons of the build, more than {MOST_PARTS:,}:"
                    " does its column of persons say who is who?"
                )
            for key, part in parts.items():
                found[key] += comb(len(part), 2) - _within(part, counted)
            missed += _missed(person, list(parts.values()), unknown, counted)
        return Held(true, found.total(), tuple(missed), tuple(_merged(told, owner, found)))


@dataclass(frozen=True)
class KnownPairs:
    """Pairs of identifiers that are one person's, and pairs that are not; each pair once, in either order.

    Attributes:
        names: identifiers as ``type:value``, by their keys.
        same, different: keys of two identifiers.
    """

    names: Mapping[int, str]
    same: tuple[Pair, ...]
    different: tuple[Pair, ...]

    def hold(self, owner: Mapping[int, int]) -> Held:
        """Compare the pairs with the person of each identifier in a build, by their keys."""
        missed = []
        for left, right in self.same:
            if right not in owner:
                left, right = right, left
            if owner.get(left, left) != owner.get(right, right):
                missed.append(Missed(None, (left,), (right,), 1))
        wrong: dict[int, list[Pair]] = defaultdict(list)
        for left, right in self.different:
            if left in owner and owner[left] == owner.get(right):
                wrong[owner[left]].append((left, right))
        merged = (Merged(key, (), *pairs[0], len(pairs)) for key, pairs in sorted(wrong.items()))
        return Held(len(self.same), len(self.same) - len(missed), tuple(missed), tuple(merged))


def _by_identifier(persons: Mapping[str, Iterable[int]]) -> Mapping[int, Sequence[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for person, keys in sorted(persons.items()):
        for key in keys:
            found[key].append(person)
    return found


def _parts(keys: Iterable[int], owner: Mapping[int, int]) -> tuple[dict[int, list[int]], list[int]]:
    """Identifiers by their person in the build, and those that it does not know; both in order."""
    parts: dict[int, list[int]] = defaultdict(list)
    unknown = []
    for key in sorted(keys):
        if key in owner:
            parts[owner[key]].append(key)
        else:
            unknown.append(key)
    return parts, unknown


def _missed(
    person: str, parts: Sequence[Sequence[int]], unknown: Sequence[int], counted: set[Pair]
) -> Iterator[Missed]:
    """The pairs of identifiers that do not lie in one part, without those that were counted before."""
    if unknown:
        rest = sorted(key for part in parts for key in part)
        pairs = comb(len(unknown), 2) + len(unknown) * len(rest)
        pairs -= _within(unknown, counted) + _across(unknown, rest, counted)
        if pairs:
            yield Missed(person, tuple(unknown), tuple(rest), pairs)
    for left, right in combinations(parts, 2):
        pairs = len(left) * len(right) - _across(left, right, counted)
        if pairs:
            yield Missed(person, tuple(left), tuple(right), pairs)


def _within(part: Iterable[int], pairs: set[Pair]) -> int:
    if not pairs:
        return 0
    keys = set(part)
    return sum(left in keys and right in keys for left, right in pairs)


def _across(part: Iterable[int], other: Iterable[int], pairs: set[Pair]) -> int:
    if not pairs:
        return 0
    one, two = set(part), set(other)
    return sum((left in one and right in two) or (left in two and right in one) for left, right in pairs)


def _merged(told: Mapping[int, Sequence[str]], owner: Mapping[int, int], found: Mapping[int, int]) -> Iterator[Merged]:
    """The persons of the build some of whose pairs are not true: more pairs than were found true."""
    mine: dict[int, list[int]] = defaultdict(list)
    for key in sorted(told):
        if key in owner:
            mine[owner[key]].append(key)
    for person_key, keys in sorted(mine.items()):
        wrong = comb(len(keys), 2) - found.get(person_key, 0)
        if wrong:
            left, right = next(
                pair for pair in combinations(keys, 2) if not set(told[pair[0]]).intersection(told[pair[1]])
            )
            persons = sorted({person for key in keys for person in told[key]})
            yield Merged(person_key, tuple(persons), left, right, wrong)
