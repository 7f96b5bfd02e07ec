"""Why somebody is in a segment, or is not: every rule with its truth and what decides it, of one person alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from analytics import dialect
from analytics.query import Engine
from analytics.segment_leaves import Leaves, Scope
from analytics.segment_members import owner_of
from analytics.segment_rules import Compiler
from analytics.segment_steps import Steps
from analytics.segment_tree import AllOf, AnyOf, EventLeaf, Leaf, Node, Not, PropertyLeaf, leaves
from analytics.segment_words import sentence
from analytics.table import Column, Sheet, Table, minute
from models.base import Moment, Shape
from models.segment import SegmentDefinition
from warehouse.debuglog import tell

_ONE = Scope("one_event", "one_property", "one_alias")
_ONE_PERSON = """with one_event as (select * from event where person_key = $person_key and occurred_at <= $as_of),
one_property as (select * from person_property where person_key = $person_key and valid_from <= $as_of),
one_alias as (select * from person_alias where person_key = $person_key)"""
_HOLDS = "entered_at <= $as_of and (exited_at is null or exited_at > $as_of)"
_MOST_EVIDENCE = 5
_ALWAYS = datetime(9999, 1, 1, tzinfo=timezone.utc)


class Reason(Shape):
    """One rule of the tree: what it says, whether it holds (null: unknown), and what decides it."""

    depth: int
    says: str
    holds: bool | None
    because: str


class Explanation(Shape):
    """Why somebody is in a segment at a moment, or is not: the rule at its root, then those below."""

    segment_id: str
    person_id: str
    is_member: bool
    reasons: tuple[Reason, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        words = {True: "true", False: "false", None: "unknown"}
        return Sheet(
            f"{self.person_id} and segment {self.segment_id}",
            (f"{'In it' if self.is_member else 'Not in it'} as of {minute(self.as_of)} UTC.",),
            (
                Table(
                    (Column("rule"), Column("holds"), Column("because")),
                    tuple(("  " * one.depth + one.says, words[one.holds], one.because) for one in self.reasons),
                ),
            ),
        )


def explain(
    engine: Engine,
    definitions: Iterable[SegmentDefinition],
    segment_id: str,
    person: str,
    *,
    as_of: datetime | None = None,
) -> Explanation:
    """Work a segment's rules out for one person, from what is published of that person alone.

    Raises:
        UsageError: for somebody of whom nothing landed, or segments that ask for each other.
    """
    person_id, person_key = owner_of(engine, person)
    now = as_of or engine.as_of
    params = {"person_key": person_key, "as_of": now}
    compiler = Compiler.of(definitions)
    root = compiler.trees[segment_id]
    truths = _truths(engine, compiler, root, params)
    exists = bool(engine.rows(f"{_ONE_PERSON} select 1 from one_event limit 1", params))
    is_in = exists and truth(root, truths) is True
    tell("segments", "segment_asked", segment_id=segment_id, person_key=person_key, as_of=now, is_member=is_in)
    return Explanation(
        segment_id=segment_id,
        person_id=person_id,
        is_member=is_in,
        reasons=tuple(_reasons(engine, compiler, root, truths, params, 0)),
        as_of=now,
    )


def stays_of(
    engine: Engine, definitions: Iterable[SegmentDefinition], segment_id: str, person_key: int
) -> tuple[tuple[datetime, datetime | None], ...]:
    """Work out one person's stays in a segment from the tables, in order; those that lie ahead too.

    Raises:
        UsageError: for segments that ask for each other.
    """
    compiler = Compiler.of(definitions)
    step = compiler.holds(compiler.trees[segment_id], _ONE)
    params = {"person_key": person_key, "as_of": _ALWAYS}
    rows = engine.rows(
        f"{_with(compiler.steps, [step])}select entered_at, exited_at from {step} order by entered_at", params
    )
    return tuple((entered, exited) for entered, exited in rows)


def truth(node: Node, truths: Mapping[Node, bool | None]) -> bool | None:
    """Whether a node holds, of what its leaves say; None if it cannot be said."""
    if isinstance(node, Not):
        below = truth(node.node, truths)
        return None if below is None else not below
    if isinstance(node, AllOf | AnyOf):
        decides = isinstance(node, AnyOf)
        found = [truth(child, truths) for child in node.nodes]
        return decides if decides in found else None if None in found else not decides
    return truths[node]


def _truths(engine: Engine, compiler: Compiler, root: Node, params: Mapping[str, Any]) -> dict[Node, bool | None]:
    """What each leaf of a tree says of the person, in one statement."""
    asked = [(leaf, want) for leaf in dict.fromkeys(leaves(root)) for want in (True, False)]
    steps = [compiler.holds(leaf, _ONE, want=want) for leaf, want in asked]
    found = "\nunion all\n".join(
        f"select {number} as number from {step} where {_HOLDS}" for number, step in enumerate(steps)
    )
    numbers = {number for (number,) in engine.rows(_with(compiler.steps, steps) + found, params)}
    truths: dict[Node, bool | None] = {}
    for number, (leaf, want) in enumerate(asked):
        truths[leaf] = want if number in numbers else truths.get(leaf)
    return truths


def _with(steps: Steps, wanted: Iterable[str]) -> str:
    names = frozenset().union(*(steps.needs[name] for name in wanted))
    return f"{_ONE_PERSON},\n" + steps.with_clause(names).removeprefix("with ")


def _reasons(
    engine: Engine,
    compiler: Compiler,
    node: Node,
    truths: Mapping[Node, bool | None],
    params: Mapping[str, Any],
    depth: int,
) -> Iterable[Reason]:
    if isinstance(node, AllOf | AnyOf | Not):
        says = "all of" if isinstance(node, AllOf) else "any of" if isinstance(node, AnyOf) else "not"
        yield Reason(depth=depth, says=says, holds=truth(node, truths), because="")
        for child in (node.node,) if isinstance(node, Not) else node.nodes:
            yield from _reasons(engine, compiler, child, truths, params, depth + 1)
        return
    because = ""
    if isinstance(node, EventLeaf):
        because = _happened(engine, node, params)
    elif isinstance(node, PropertyLeaf):
        because = _known(engine, node, params)
    else:
        because = _stayed(engine, compiler, node, params)
    yield Reason(depth=depth, says=sentence(node), holds=truths[node], because=because)


def _happened(engine: Engine, leaf: EventLeaf, params: Mapping[str, Any]) -> str:
    steps = Steps()
    step = Leaves(_ONE, steps).happenings(leaf, None)
    within = "" if leaf.window is None else f" where {dialect.after('occurred_at', leaf.window)} > $as_of"
    times = [
        moment
        for (moment,) in engine.rows(
            f"{_with(steps, [step])}select occurred_at from {step}{within} order by occurred_at desc", params
        )
    ]
    shown = ", ".join(minute(moment) for moment in times[:_MOST_EVIDENCE])
    more = f" and {len(times) - _MOST_EVIDENCE:,} before" if len(times) > _MOST_EVIDENCE else ""
    return f"{len(times):,} in that time: {shown}{more}" if times else "none in that time"


def _stayed(engine: Engine, compiler: Compiler, leaf: Leaf, params: Mapping[str, Any]) -> str:
    """Of what has no evidence of its own (other segments, lists, draws, queries): when it held so far."""
    step = compiler.holds(leaf, _ONE)
    rows = engine.rows(
        f"{_with(compiler.steps, [step])}select entered_at, case when exited_at <= $as_of then exited_at end"
        f" from {step} where entered_at <= $as_of order by entered_at desc",
        params,
    )
    spans = [f"from {minute(since)}" + (f" to {minute(until)}" if until else "") for since, until in rows]
    more = f" and {len(spans) - _MOST_EVIDENCE:,} before" if len(spans) > _MOST_EVIDENCE else ""
    return "; ".join(spans[:_MOST_EVIDENCE]) + more if spans else "never so far"


def _known(engine: Engine, leaf: PropertyLeaf, params: Mapping[str, Any]) -> str:
    steps = Steps()
    step = Leaves(_ONE, steps).values(leaf, None)
    rows = engine.rows(
        f"{_with(steps, [step])}select value, valid_from from {step}"
        " where value is not null and valid_from <= $as_of and (valid_to is null or valid_to > $as_of)",
        params,
    )
    if not rows:
        return "absent, or of another kind"
    value, since = rows[-1]
    shown = minute(value) if isinstance(value, datetime) else repr(value)
    return f"{shown} since {minute(since)}"
