"""Names in the rules of segments that nothing in the warehouse answers to: most often they are misspelt."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from analytics.query import Engine
from analytics.segment_tree import EventLeaf, PropertyLeaf, leaves, tree_of
from models.errors import nearest
from models.person_properties import KNOWN_PROPERTIES
from models.segment import SegmentDefinition


def known_event_types(engine: Engine) -> set[str]:
    """The types of all events that landed before the build."""
    return {name for (name,) in engine.rows("select distinct event_type from event")}


def known_properties(engine: Engine) -> set[str]:
    """The properties that a rule may name and somebody has, or that every person has."""
    found = engine.rows("select distinct property from person_property where property <> 'segment'")
    return {*KNOWN_PROPERTIES, *(name for (name,) in found)}


def unknown_names(
    segment: SegmentDefinition, event_types: Collection[str], properties: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Each name that is not known, as it is matched, and a sentence about it with the nearest ones."""
    tree = leaves(tree_of(segment))
    for leaf in dict.fromkeys(tree):
        if isinstance(leaf, EventLeaf):
            for name in (name for stage in leaf.stages for name in stage.types if name not in event_types):
                yield name, f"no event {name!r} has landed" + _hint(name, event_types)
        elif isinstance(leaf, PropertyLeaf) and leaf.property not in properties:
            yield leaf.property, f"nobody has a property {leaf.property!r}" + _hint(leaf.property, properties)


def _hint(name: str, known: Collection[str]) -> str:
    hint = nearest(name, known)
    return f" ({hint})" if hint else ""
