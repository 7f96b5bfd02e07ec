"""What the deliveries of one writer look like: which keys they have, in which order, and what their values are.

Most files are written by one program, which writes each delivery in the same way. A template is learnt from a few
of them; ``ingest/singlesql.py`` finds the others by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ingest.delivery import ENVELOPE_KEYS, ENVELOPE_NEEDS
from ingest.jsonshape import MAX_PLANNED_KEYS
from ingest.jsontemplate import merged_order
from ingest.messagesql import Path

#: An object with more keys than this is not taken apart, unless it has to be.
_MAX_MEMBERS = 24


class Form(Enum):
    """What a value was in all messages that were looked at."""

    #: A text; null, too, where the key is never missing.
    TEXT = "text"
    #: No object and no array.
    SCALAR = "scalar"
    #: An object that is taken apart.
    OBJECT = "object"
    #: An array of one object, which is taken apart.
    ARRAY_OF_ONE = "array of one"
    #: Anything else.
    ANY = "any"


@dataclass(frozen=True)
class Node:
    """A value of a message.

    Attributes:
        path: where it stands.
        form: what it was.
        is_optional: whether some of the objects it stands in lack it.
        has_null: whether it was null in some.
        members: of an object, its values in their order; of an array, its object.
    """

    path: Path
    form: Form
    is_optional: bool
    has_null: bool
    members: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This and whatever stands in it."""
        yield self
        for member in self.members:
            yield from member.walk()


@dataclass(frozen=True)
class Template:
    """What the deliveries of one writer look like.

    Attributes:
        root: the delivery.
        within: where its message stands: in the body of an envelope, alone in an array, or it is all there is.
        is_spaced: whether a space follows each comma and colon.
    """

    root: Node
    within: Path
    is_spaced: bool
    nodes: Mapping[Path, Node] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", {node.path: node for node in self.root.walk()})

    def may_have(self, path: Path) -> bool:
        """Whether a message of the template may have a value there."""
        if path in self.nodes:
            return True
        around = next(self.nodes[path[:depth]] for depth in range(len(path), -1, -1) if path[:depth] in self.nodes)
        return around.form is Form.ANY

    @property
    def batch(self) -> Path | None:
        """Where the body stands whose array holds the message; None if there is no array."""
        return self.within[:-2] if self.within[-1:] == ("0",) else None

    def keys_at(self, path: Path) -> list[str]:
        """The keys of an object of the message that is taken apart."""
        place = (*self.within, *path)
        return [member.path[-1] for member in self.nodes[place].members] if place in self.nodes else []

    def holds(self, delivery: Any) -> bool:
        """Whether the values of a parsed delivery that should be no objects and no arrays are none."""
        closed = [path for path, node in self.nodes.items() if node.form in (Form.TEXT, Form.SCALAR)]
        return not any(isinstance(_value_at(delivery, path), dict | list) for path in closed)


def template_of(
    deliveries: Sequence[Any], opened: Sequence[Path], batch_key: str, *, is_spaced: bool
) -> Template | None:
    """A template for deliveries like these, or None if they are not alike.

    Args:
        deliveries: some that were parsed.
        opened: the objects of a message that have to be taken apart.
        batch_key: under which a body may have its message, alone in an array.
        is_spaced: whether spaces follow their commas and colons.
    """
    objects = [delivery for delivery in deliveries if isinstance(delivery, dict)]
    if not objects or len(objects) < 0.9 * len(deliveries):
        return None
    is_enveloped = [found.keys() >= ENVELOPE_NEEDS for found in objects]
    if any(is_enveloped) != all(is_enveloped):
        return None
    body: Path = ("body",) if all(is_enveloped) else ()
    within, array = body, (*body, batch_key)
    if all(_is_alone(_value_at(delivery, array)) for delivery in objects):
        within = (*array, "0")
    told = {(), body, *((*within, *path) for path in opened)}
    root = _node((), objects, told, array, is_optional=False)
    template = Template(root, within, is_spaced)
    return template if _is_sound(template, opened) else None


def _is_alone(array: Any) -> bool:
    return isinstance(array, list) and len(array) == 1 and isinstance(array[0], dict)


def _is_sound(template: Template, opened: Sequence[Path]) -> bool:
    nodes = template.nodes
    keys = {path[-1] for path in nodes if path}
    if len(nodes) > MAX_PLANNED_KEYS or not all(key and key.isprintable() for key in keys):
        return False
    if template.within[:1] == ("body",):
        envelope = {node.path[-1]: node for node in template.root.members}
        if not envelope.keys() <= ENVELOPE_KEYS or any(
            envelope[key].form is not Form.TEXT or envelope[key].has_null for key in envelope.keys() - {"body"}
        ):
            return False
    return all(nodes[place].form is Form.OBJECT for path in opened if (place := (*template.within, *path)) in nodes)


def _node(path: Path, values: Sequence[Any], opened: Set[Path], array: Path, *, is_optional: bool) -> Node:
    has_null = any(value is None for value in values)
    if all(isinstance(value, str) or value is None for value in values) and not (is_optional and has_null):
        return Node(path, Form.TEXT, is_optional, has_null)
    if not any(isinstance(value, dict | list) for value in values):
        return Node(path, Form.SCALAR, is_optional, has_null)
    if path == array and all(map(_is_alone, values)):
        one = _node((*path, "0"), [value[0] for value in values], opened, array, is_optional=False)
        return Node(path, Form.ARRAY_OF_ONE, is_optional, has_null, (one,))
    objects = [value for value in values if isinstance(value, dict)]
    order = merged_order(objects)
    if len(objects) < len(values) or (len(order) > _MAX_MEMBERS and path not in opened):
        return Node(path, Form.ANY, is_optional, has_null)
    members = (
        _node(
            (*path, key),
            [value[key] for value in objects if key in value],
            opened,
            array,
            is_optional=not all(key in value for value in objects),
        )
        for key in order
    )
    return Node(path, Form.OBJECT, is_optional, has_null, tuple(members))


def _value_at(value: Any, path: Path) -> Any:
    for key in path:
        members = {"0": value[0]} if _is_alone(value) else value
        value = members.get(key) if isinstance(members, dict) else None
    return value
