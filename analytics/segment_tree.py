"""The rules of a segment as a tree of leaves: what each asks for, free of how it was written.

Every leaf is true, false or, where a property is absent, neither. ``Not`` turns true into false and leaves the third
alone, so a missing value matches neither a rule nor its opposite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analytics.duration import Duration
from models.identity import identifier_id
from models.keys import normalise_event_type
from models.operators import Operand
from models.person_properties import canonical_property
from models.segment import (
    CountRange,
    EventFilter,
    EventTypes,
    Holdout,
    ListMember,
    SegmentDefinition,
    SegmentRule,
    operand_of,
)
from models.segment_graph import is_week


@dataclass(frozen=True)
class Filter:
    """What a property of an event must say."""

    property: str
    operator: str
    operand: Operand


@dataclass(frozen=True)
class Stage:
    """Events of some types that pass all filters."""

    types: tuple[str, ...]
    filters: tuple[Filter, ...]


@dataclass(frozen=True)
class EventLeaf:
    """How often, or on how many days, something happened: an event, or the last step of a sequence.

    At least ``least`` (0: no lower bound) and at most ``most`` (None: no upper bound), within ``window`` before now.
    """

    stages: tuple[Stage, ...]
    within: Duration | None
    least: int
    most: int | None
    window: Duration | None
    counts_days: bool = False


@dataclass(frozen=True)
class PropertyLeaf:
    """What a property of the person must say; it is neither true nor false where there is no value of the kind."""

    property: str
    operator: str
    operand: Operand


@dataclass(frozen=True)
class SegmentLeaf:
    """Being in another segment."""

    segment_id: str


@dataclass(frozen=True)
class ListLeaf:
    """Being on a list: (UUID of an identifier, from, until) in ISO 8601."""

    members: tuple[tuple[str, str, str | None], ...]


@dataclass(frozen=True)
class HoldoutLeaf:
    """Being one of a share of all persons."""

    percent: float
    salt: str


@dataclass(frozen=True)
class SqlLeaf:
    """Being given by a query; it is the only leaf of its segment."""

    sql: str


Leaf = EventLeaf | PropertyLeaf | SegmentLeaf | ListLeaf | HoldoutLeaf | SqlLeaf


@dataclass(frozen=True)
class AllOf:
    """True where all are true, false where one is false."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class AnyOf:
    """True where one is true, false where all are false."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """True where the other is false, and the other way round."""

    node: Node


Node = Leaf | AllOf | AnyOf | Not


def tree_of(definition: SegmentDefinition) -> Node:
    """The tree of a segment, whose rules must all hold."""
    if definition.sql is not None:
        return SqlLeaf(definition.sql)
    nodes = tuple(_node(rule) for rule in definition.rules)
    return nodes[0] if len(nodes) == 1 else AllOf(nodes)


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf of a tree, in order."""
    if isinstance(node, AllOf | AnyOf):
        for child in node.nodes:
            yield from leaves(child)
    elif isinstance(node, Not):
        yield from leaves(node.node)
    else:
        yield node


def _node(rule: SegmentRule) -> Node:
    if rule.all is not None:
        return AllOf(tuple(_node(child) for child in rule.all))
    if rule.any is not None:
        return AnyOf(tuple(_node(child) for child in rule.any))
    if rule.not_ is not None:
        return Not(_node(rule.not_))
    if rule.holdout is not None:
        return _holdout(rule.holdout)
    if rule.list is not None:
        return _list(rule.list)
    if rule.cohort_id is not None:
        return _cohort(rule.cohort_id)
    return _property(rule) if rule.property is not None else _events(rule)


def _events(rule: SegmentRule) -> Node:
    if rule.sequence is not None:
        stages = tuple(_stage(step.event_type, step.where) for step in rule.sequence)
    else:
        stages = (_stage(rule.event_type or (), rule.where),)

    def leaf(count: CountRange | None, *, counts_days: bool) -> EventLeaf:
        return EventLeaf(
            stages=stages,
            within=Duration.parse(rule.within) if rule.within else None,
            least=1 if count is None else count.gte or 0,
            most=None if count is None else count.lte,
            window=Duration.parse(rule.event_window) if rule.event_window else None,
            counts_days=counts_days,
        )

    if rule.distinct_days is None:
        return leaf(rule.event_count, counts_days=False)
    days = leaf(rule.distinct_days, counts_days=True)
    return days if rule.event_count is None else AllOf((leaf(rule.event_count, counts_days=False), days))


def _stage(event_type: EventTypes, where: tuple[EventFilter, ...]) -> Stage:
    given = (event_type,) if isinstance(event_type, str) else event_type
    types = tuple(dict.fromkeys(normalise_event_type(name) for name in given))
    return Stage(types, tuple(Filter(one.property, one.operator, operand_of(one)) for one in where))


def _property(rule: SegmentRule) -> Node:
    name, operator, operand = canonical_property(rule.property or ""), rule.operator or "", operand_of(rule)
    if operator == "exists":
        exists = PropertyLeaf(name, operator, operand)
        return Not(exists) if rule.value is False else exists
    if operator == "between" and operand.kind == "time":
        low, high = (Operand("time", (value,)) for value in operand.values)
        return AllOf((PropertyLeaf(name, "gte", low), PropertyLeaf(name, "lte", high)))
    return PropertyLeaf(name, operator, operand)


def _cohort(cohort_id: str) -> Leaf:
    if is_week(cohort_id):
        return PropertyLeaf("cohort", "equals", Operand("text", (cohort_id,)))
    return SegmentLeaf(cohort_id)


def _list(members: tuple[ListMember, ...]) -> ListLeaf:
    return ListLeaf(
        tuple(
            (
                str(identifier_id(member.id)),
                member.start.isoformat(),
                member.end.isoformat() if member.end else None,
            )
            for member in members
        )
    )


def _holdout(holdout: Holdout) -> HoldoutLeaf:
    return HoldoutLeaf(holdout.percent, holdout.salt)
