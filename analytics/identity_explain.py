"""Why two identifiers are one person's, or what keeps them apart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics.identifiers import Identifier, best_names, find_identifier, identifiers_of, survivors_of
from analytics.identity_paths import MOST_IDENTIFIERS, Hop, PathTooFar, shortest_path
from analytics.query import Engine
from analytics.table import Column, Sheet, Table, minute
from models.base import Moment, Shape
from models.errors import UsageError
from models.identity import HandRule, IdentityRules
from warehouse.definitions import content_hash

_WHO = {"hand": "a link by hand", "server": "an event of a server", "browser": "an event of a browser"}


class Step(Shape):
    """Two identifiers that came together, the event that proves it, and the rule that refused it."""

    start: str
    end: str
    is_accepted: bool
    refused_by: str | None
    trust: str
    observed_at: Moment
    event_id: str | None
    source: str | None
    event_type: str | None


@dataclass(frozen=True)
class Proof:
    """The event that proves a step."""

    event_id: str
    source: str
    event_type: str


class Turn(Shape):
    """A time in which a shared device was one person's; ``person`` is a user id, or the best that the person has."""

    identifier: str
    person_id: str
    person: str
    valid_from: Moment | None
    valid_to: Moment | None


class Explanation(Shape):
    """What joins two identifiers or keeps them apart; ``path`` is the shortest one, of accepted steps if there is one.

    ``reasons`` are the answer in words.
    """

    a: str
    b: str
    same_person: bool
    person_a: str
    person_b: str
    reasons: tuple[str, ...]
    path: tuple[Step, ...]
    turns: tuple[Turn, ...]

    def table(self) -> Sheet:
        """One screen."""
        steps = Table(
            (
                *(Column("from"), Column("to"), Column("joins"), Column("first seen", "time")),
                *(Column("trust"), Column("source"), Column("event type"), Column("event")),
            ),
            tuple(
                (
                    *(step.start, step.end, f"no: {step.refused_by}" if step.refused_by else "yes", step.observed_at),
                    *(step.trust, step.source, step.event_type, step.event_id),
                )
                for step in self.path
            ),
            "The shortest path",
        )
        turns = Table(
            (Column("device"), Column("person"), Column("from", "time"), Column("until", "time")),
            tuple((turn.identifier, turn.person, turn.valid_from, turn.valid_to) for turn in self.turns),
            "Whose the shared device was",
        )
        is_one = "are one person" if self.same_person else "are two persons"
        return Sheet(f"{self.a} and {self.b} {is_one}", self.reasons, tuple(t for t in (steps, turns) if t.rows))


def explain(engine: Engine, first: str, second: str, rules: IdentityRules) -> Explanation:
    """Say why two identifiers are one person's or not.

    Args:
        engine: the warehouse.
        first, second: what names the two (``find_identifier``).
        rules: the project's identity rules, for the reasons that people gave and the numbers; where they are not
            those of the build, a reason says so.

    Raises:
        UsageError: if no event carried one of them, or both are the same.
    """
    a, b = find_identifier(engine, first), find_identifier(engine, second)
    if a == b:
        raise UsageError(f"{first!r} and {second!r} are one identifier, {a}")
    persons = _persons(engine, (a.key, b.key))
    is_one = persons[a.key] == persons[b.key]
    try:
        path = shortest_path(engine, a.key, b.key, accepted=is_one)
    except PathTooFar:
        path, beyond = None, f"No path through fewer than {MOST_IDENTIFIERS:,} identifiers joins them."
    else:
        beyond = "No event, and no chain of events, ever carried both."
    names = identifiers_of(engine, {a.key, b.key, *_ends(path or ())})
    proofs = _proofs(engine, path or ())
    turns = _turns(engine, names)
    told = _joined(path or (), names, proofs) if is_one else _apart(engine, path, names, rules, persons)
    reasons = tuple(told) or (() if is_one else (beyond,))
    return Explanation(
        a=str(a),
        b=str(b),
        same_person=is_one,
        person_a=persons[a.key],
        person_b=persons[b.key],
        reasons=(*reasons, *_not_applied(engine, rules)),
        path=tuple(_steps(path or (), names, proofs)),
        turns=turns,
    )


def _not_applied(engine: Engine, rules: IdentityRules) -> Iterable[str]:
    [(hashes,)] = engine.rows("select definition_hashes from build_info", {})
    if json.loads(hashes)["identity"] != content_hash(rules):
        yield "definitions/identity.yml has changed since this build: gdp build applies what it says now."


def _ends(path: Iterable[Hop]) -> set[int]:
    return {key for hop in path for key in (hop.start, hop.end)}


def _persons(engine: Engine, keys: Iterable[int]) -> dict[int, str]:
    """The person each identifier belongs to by its edges, whatever turns a shared device had."""
    return {key: survivor.alias for key, survivor in survivors_of(engine, keys).items()}


def _joined(path: Iterable[Hop], names: Mapping[int, Identifier], proofs: Mapping[int | None, Proof]) -> Iterable[str]:
    for hop in path:
        proof = proofs.get(hop.body_key)
        told = "" if proof is None else f" ({proof.event_id}, {minute(hop.observed_at)} UTC)"
        yield f"{names[hop.start]} and {names[hop.end]} came together in {_WHO[hop.trust]}{told}."


def _apart(
    engine: Engine,
    path: Iterable[Hop] | None,
    names: Mapping[int, Identifier],
    rules: IdentityRules,
    persons: Mapping[int, str],
) -> Iterable[str]:
    """The rules that refused the steps of a path, each in a sentence."""
    for hop in path or ():
        if hop.refused_by is None:
            continue
        pair = f"{names[hop.start]} and {names[hop.end]} came together, but"
        if hop.refused_by in ("hub", "shared_device"):
            for knot, kind, seen_with in _knots(engine, (hop.start, hop.end)):
                yield f"{pair} {names[knot]} joins nobody: " + _knot(kind, seen_with, rules)
        elif hop.refused_by == "cut":
            yield f"{pair} a cut by hand keeps their persons apart."
            yield from _cuts(engine, hop, rules)
        elif hop.refused_by == "unsigned":
            yield (
                f"{pair} only a browser says so, and both persons are known already, by a user id or a Stripe customer."
            )
        else:
            type_ = hop.refused_by.removeprefix("limit:")
            yield (
                f"{pair} one person would then have more than {rules.most.get(type_)} "
                f"identifiers of type {type_}, which is the limit."
            )
    for rule in _cuts_of(rules, set(persons)):
        yield f"They are cut by hand: {rule.reason}"


def _knot(kind: str, seen_with: int, rules: IdentityRules) -> str:
    if kind == "hub":
        return f"it was seen with {seen_with:,} users or Stripe customers (hub_threshold is {rules.hub_threshold})."
    return f"{seen_with} users had it, each in turn."


def _knots(engine: Engine, keys: Iterable[int]) -> list[tuple[Any, ...]]:
    return engine.rows(
        "select identifier_key, kind, seen_with from intermediate.int_identity__knot"
        " where identifier_key in (select unnest($keys)) order by kind, identifier_key",
        {"keys": list(keys)},
    )


def _cuts(engine: Engine, hop: Hop, rules: IdentityRules) -> Iterable[str]:
    """The cuts between the persons of a step's two ends, in the words of who made them."""
    keys = {key for rule in rules.hand if rule.cut for key in rule.keys} | {hop.start, hop.end}
    persons = _persons(engine, keys)
    between = {persons[hop.start], persons[hop.end]}
    for rule in rules.hand:
        if rule.cut and between == {persons.get(key) for key in rule.keys}:
            yield f"{rule.cut[0]} and {rule.cut[1]} were cut: {rule.reason}"


def _cuts_of(rules: IdentityRules, keys: set[int]) -> Iterable[HandRule]:
    return (rule for rule in rules.hand if rule.cut and set(rule.keys) == keys)


def _steps(path: Iterable[Hop], names: Mapping[int, Identifier], proofs: Mapping[int | None, Proof]) -> Iterable[Step]:
    for hop in path:
        proof = proofs.get(hop.body_key)
        yield Step(
            start=str(names[hop.start]),
            end=str(names[hop.end]),
            is_accepted=hop.is_accepted,
            refused_by=hop.refused_by,
            trust=hop.trust,
            observed_at=hop.observed_at,
            event_id=proof.event_id if proof else None,
            source=proof.source if proof else None,
            event_type=proof.event_type if proof else None,
        )


def _proofs(engine: Engine, path: Iterable[Hop]) -> dict[int | None, Proof]:
    """The events that prove the steps, by their body."""
    rows = engine.rows(
        "select body_key, event_id, source, event_type from event where body_key in (select unnest($bodies))",
        {"bodies": [hop.body_key for hop in path if hop.body_key is not None]},
    )
    return {body_key: Proof(*proof) for body_key, *proof in rows}


def _turns(engine: Engine, names: Mapping[int, Identifier]) -> tuple[Turn, ...]:
    """Whose the shared devices among some identifiers were."""
    rows = engine.rows(
        "select owner.identifier_key, owner.person_key, owner.valid_from, owner.valid_to"
        " from intermediate.int_identity__owner as owner"
        " inner join intermediate.int_identity__knot as knot on owner.identifier_key = knot.identifier_key"
        " where knot.kind = 'shared_device' and owner.identifier_key in (select unnest($keys))"
        " order by owner.identifier_key, owner.valid_from nulls first",
        {"keys": list(names)},
    )
    persons = {person for _, person, *_ in rows}
    survivors, known_as = identifiers_of(engine, persons), best_names(engine, persons)
    return tuple(
        Turn(
            identifier=str(names[key]),
            person_id=survivors[person].alias,
            person="nobody but itself" if person == key else str(known_as[person]),
            valid_from=start,
            valid_to=end,
        )
        for key, person, start, end in rows
    )
