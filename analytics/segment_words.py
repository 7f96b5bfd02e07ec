"""What the rules of a segment say, in English."""

from __future__ import annotations

from analytics.duration import Duration
from analytics.segment_tree import (
    AllOf,
    AnyOf,
    EventLeaf,
    Filter,
    HoldoutLeaf,
    ListLeaf,
    Node,
    Not,
    PropertyLeaf,
    SegmentLeaf,
    SqlLeaf,
    Stage,
)
from models.operators import OPERATORS, Operand

_UNITS = {"h": "hour", "d": "day", "w": "week", "m": "month", "y": "year"}
_MOST_SHOWN = 5


def sentence(node: Node, *, denied: bool = False) -> str:
    """What a node asks of a person; ``denied``: that it is known not to be so."""
    if isinstance(node, Not):
        return sentence(node.node, denied=not denied)
    if isinstance(node, AllOf | AnyOf):
        word = " and " if isinstance(node, AllOf) != denied else " or "
        return word.join(_bracketed(child, denied=denied) for child in node.nodes)
    if isinstance(node, EventLeaf):
        return _events(node, denied=denied)
    if isinstance(node, PropertyLeaf):
        return f"{node.property} {_comparison(node.operator, node.operand, denied=denied)}"
    not_ = "not " if denied else ""
    if isinstance(node, SegmentLeaf):
        return f"is {not_}in segment {node.segment_id}"
    if isinstance(node, ListLeaf):
        return f"is {not_}on a list of {len(node.members):,}"
    if isinstance(node, SqlLeaf):
        return f"is {not_}given by its query"
    return f"is {not_}{_holdout(node)}"


def _bracketed(node: Node, *, denied: bool) -> str:
    inner = node
    while isinstance(inner, Not):
        inner = inner.node
    text = sentence(node, denied=denied)
    return f"({text})" if isinstance(inner, AllOf | AnyOf) and len(inner.nodes) > 1 else text


def length(duration: Duration) -> str:
    """``30d`` as ``30 days``."""
    return f"{duration.count} {_UNITS[duration.unit]}{'' if duration.count == 1 else 's'}"


def _events(leaf: EventLeaf, *, denied: bool) -> str:
    what = ", then ".join(_stage(stage) for stage in leaf.stages)
    within = f" within {length(leaf.within)}" if leaf.within else ""
    window = f" in the last {length(leaf.window)}" if leaf.window else ""
    count = _count(leaf)
    return f"{'not: ' if denied else ''}{what}{within}{count}{window}"


def _count(leaf: EventLeaf) -> str:
    unit = ("on {} day", "on {} days") if leaf.counts_days else ("{} time", "{} times")
    if leaf.most is None:
        if leaf.least == 1 and not leaf.counts_days:
            return ""
        return f" {_number(unit, f'at least {leaf.least}', leaf.least)}"
    if leaf.least == 0:
        return f" {_number(unit, f'at most {leaf.most}', leaf.most)}" if leaf.most else " never"
    if leaf.least == leaf.most:
        return f" {_number(unit, f'exactly {leaf.most}', leaf.most)}"
    return f" {_number(unit, f'{leaf.least} to {leaf.most}', leaf.most)}"


def _number(unit: tuple[str, str], text: str, count: int) -> str:
    return unit[count != 1].format(text)


def _stage(stage: Stage) -> str:
    filters = " and ".join(_filter(one) for one in stage.filters)
    return " or ".join(stage.types) + (f" where {filters}" if filters else "")


def _filter(one: Filter) -> str:
    return f"{one.property} {_comparison(one.operator, one.operand, denied=False)}"


def _comparison(operator: str, operand: Operand, *, denied: bool) -> str:
    values = [_value(one, operand) for one in operand.values]
    shown = ", ".join(values[:_MOST_SHOWN]) + (
        f" and {len(values) - _MOST_SHOWN:,} more" if values[_MOST_SHOWN:] else ""
    )
    found = OPERATORS[operator]
    template = found.denial if denied else found.sentence
    return template.format(operand=shown, low=values[0] if values else "", high=values[-1] if values else "")


def _value(value: str | float | bool, operand: Operand) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if operand.kind == "time" else repr(value)
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.15g}"


def _holdout(leaf: HoldoutLeaf) -> str:
    return f"among {leaf.percent:g} % of all persons, drawn by {leaf.salt!r}"
