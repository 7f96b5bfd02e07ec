"""Segments as change points: the rules of a segment become the intervals of time in which they hold.

An interval is half-open, [entered_at, exited_at), in event time; exited_at is null where it has no end in sight. Starts
and ends that lie after the last event are kept ("ten renders in thirty days" ends thirty days after the tenth-last
render, whether or not anything happens then), so membership at any moment is a slice and time passing costs nothing.

A rule is true, false or neither, so every node of the tree has the intervals in which it is true and those in which
it is false. ``all`` is true where all are true and false where one is false, ``any`` the other way round, ``not`` swaps
the two; only what the root needs is worked out. Of ``all``, what asks for something goes first, and what follows looks
only at the persons that are left, unless another segment wants the same step of everybody.

The text runs on DuckDB and on Spark, and inside a Jinja template: names are checked against a pattern, and every
character of a text that SQL or Jinja could take for its own is written as its number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from analytics import dialect
from analytics.segment_leaves import Leaves, Scope
from analytics.segment_steps import Steps, indent
from analytics.segment_tree import (
    AllOf,
    AnyOf,
    EventLeaf,
    HoldoutLeaf,
    Leaf,
    ListLeaf,
    Node,
    Not,
    PropertyLeaf,
    SegmentLeaf,
    SqlLeaf,
    tree_of,
)
from models.errors import UsageError
from models.segment import SEGMENT_ID, SegmentDefinition
from models.segment_graph import cohorts_of, in_order
from warehouse.sql import is_plain_identifier, portable_literal


def compile_segments(
    definitions: Iterable[SegmentDefinition],
    *,
    scope_for: Callable[[str], Scope],
    known: Iterable[SegmentDefinition] | None = None,
) -> str:
    """One statement with the stays of all segments: (segment_id, person_key, entered_at, exited_at).

    Args:
        definitions: the segments to answer.
        scope_for: of a segment's id, the relations to read. A segment that another one asks for is read in the scope
            of that one.
        known: all segments that a rule may ask for; the same ones unless given.

    Raises:
        UsageError: for a segment that is not known or asks for itself, or a name that cannot be one.
    """
    wanted = list(definitions)
    if not wanted:
        return _NO_STAYS
    compiler = Compiler.of(wanted if known is None else known)
    compiler.expect((definition.segment_id, scope_for(definition.segment_id)) for definition in wanted)
    steps = {one.segment_id: compiler.segment(one.segment_id, scope_for(one.segment_id)) for one in wanted}
    shared = compiler.steps.shared(steps.values())
    selects = [_select(compiler.steps, segment_id, last, shared) for segment_id, last in steps.items()]
    return compiler.steps.with_clause(shared) + "\nunion all\n".join(selects)


def queried(definitions: Iterable[SegmentDefinition]) -> frozenset[str]:
    """The segments that are queries, or ask for one: what they say of one person may follow from others."""
    by_id = {definition.segment_id: definition for definition in definitions}
    found: set[str] = set()
    for segment_id in in_order(by_id.values()):
        definition = by_id[segment_id]
        if definition.sql is not None or not found.isdisjoint(cohorts_of(definition.rules)):
            found.add(segment_id)
    return frozenset(found)


def _select(steps: Steps, segment_id: str, last: str, shared: frozenset[str]) -> str:
    # What one segment alone needs stays within it: engines count the steps that stand side by side.
    stay = last if last in shared else f"(\n{indent(steps.statement(last, shared))}\n)"
    return (
        f"select\n    {portable_literal(segment_id)} as segment_id,\n"
        f"    person_key,\n    entered_at,\n    exited_at\nfrom {stay} as stay"
    )


def compile_segment(
    definition: SegmentDefinition, scope: Scope, known: Iterable[SegmentDefinition] | None = None
) -> str:
    """One statement with the stays of a segment; see ``compile_segments``."""
    return compile_segments([definition], scope_for=lambda _: scope, known=known)


@dataclass
class Compiler:
    """Turns trees into steps; each segment and each leaf once per scope."""

    trees: Mapping[str, Node]
    steps: Steps = field(default_factory=Steps)
    uses: Counter[tuple[Scope, Leaf, bool]] = field(default_factory=Counter)

    @classmethod
    def of(cls, known: Iterable[SegmentDefinition]) -> Compiler:
        """A compiler of segments that may ask for each other.

        Raises:
            UsageError: for one that is not known or asks for itself, or a name that cannot be one.
        """
        definitions = {definition.segment_id: definition for definition in known}
        for segment_id in definitions:
            if not re.fullmatch(SEGMENT_ID, segment_id):
                raise UsageError(f"{segment_id!r} is not a segment's id: it must match {SEGMENT_ID}")
        return cls({segment_id: tree_of(definitions[segment_id]) for segment_id in in_order(definitions.values())})

    def expect(self, wanted: Iterable[tuple[str, Scope]]) -> None:
        """Count how often each leaf is asked for, so that what several want is worked out for everybody, once."""
        pending, seen = list(wanted), set()
        while pending:
            segment_id, scope = pending.pop()
            if (segment_id, scope) in seen:
                continue
            seen.add((segment_id, scope))
            for leaf, want in _asked(self.trees[segment_id], want=True):
                self.uses[scope, leaf, want] += 1
                if isinstance(leaf, SegmentLeaf):
                    pending.append((leaf.segment_id, scope))

    def segment(self, segment_id: str, scope: Scope) -> str:
        """The step with the stays of a segment."""
        for name in (scope.event, scope.property, scope.alias):
            if not is_plain_identifier(name):
                raise ValueError(f"{name!r} is not a plain relation name")
        return self.holds(self.trees[segment_id], scope)

    def holds(self, node: Node, scope: Scope, *, want: bool = True, persons: str | None = None) -> str:
        """The step with the intervals in which a node is true, or those in which it is false."""
        if isinstance(node, Not):
            return self.holds(node.node, scope, want=not want, persons=persons)
        if isinstance(node, AllOf | AnyOf):
            if isinstance(node, AllOf) == want:
                return self._all(node.nodes, scope, want=want, persons=persons)
            return self.steps.either(*(self.holds(one, scope, want=want, persons=persons) for one in node.nodes))
        is_shared = self.uses[scope, node, want] > 1
        return self._leaf(node, Leaves(scope, self.steps), None if is_shared else persons, want=want)

    def _all(self, nodes: tuple[Node, ...], scope: Scope, *, want: bool, persons: str | None) -> str:
        held = persons
        parts = []
        for node in sorted(nodes, key=lambda node: _breadth(node, want=want)):
            parts.append(self.holds(node, scope, want=want, persons=held))
            held = parts[-1] if len(parts) == 1 else self.steps.both(held or parts[0], parts[-1])
        return held or parts[0]

    def _leaf(self, leaf: Leaf, leaves: Leaves, persons: str | None, *, want: bool) -> str:
        if isinstance(leaf, EventLeaf):
            return leaves.events(leaf, persons, want=want)
        if isinstance(leaf, PropertyLeaf):
            return leaves.property(leaf, persons, want=want)
        if isinstance(leaf, ListLeaf):
            return leaves.listed(leaf, persons, want=want)
        if isinstance(leaf, HoldoutLeaf):
            return leaves.holdout(leaf, persons, want=want)
        if isinstance(leaf, SqlLeaf):
            return leaves.queried(leaf, persons, want=want)
        stays = self.holds(self.trees[leaf.segment_id], leaves.scope)
        return stays if want else self.steps.without(leaves.existing(persons), stays)


def _asked(node: Node, *, want: bool) -> Iterator[tuple[Leaf, bool]]:
    """Every leaf of a tree, and whether it is its truth or its falsehood that the root needs."""
    if isinstance(node, Not):
        yield from _asked(node.node, want=not want)
    elif isinstance(node, AllOf | AnyOf):
        for child in node.nodes:
            yield from _asked(child, want=want)
    else:
        yield node, want


def _breadth(node: Node, *, want: bool) -> int:
    """How many persons a node probably holds for: 0 for few, 2 for nearly everybody."""
    if isinstance(node, Not):
        return _breadth(node.node, want=not want)
    if isinstance(node, AllOf | AnyOf):
        widths = [_breadth(child, want=want) for child in node.nodes]
        return min(widths) if isinstance(node, AllOf) == want else max(widths)
    if isinstance(node, EventLeaf):
        return 0 if want == (node.least > 0) else 2
    if isinstance(node, PropertyLeaf):
        return 1
    return 0 if want else 2


_NO_STAYS = f"""select
    cast(null as string) as segment_id,
    cast(null as bigint) as person_key,
    cast(null as {dialect.TIME}) as entered_at,
    cast(null as {dialect.TIME}) as exited_at
where false"""
