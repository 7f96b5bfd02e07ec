"""A part of a YAML file with the lines it stands on, for messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.problems import Place
from warehouse.yaml_file import parse_yaml, read_text


@dataclass(frozen=True)
class YamlPart:
    """A file's content, or one item of the list that it is: the data, and the text it was read from."""

    path: Path
    text: str
    data: Any
    item: int | None = None

    def __str__(self) -> str:
        """How messages call it: the file, and which item of it."""
        return self.at(())

    def at(self, place: Place) -> str:
        """The file with the line of something in the data; of what is missing, the line of what should have it."""
        if not place and self.item is None:
            return str(self.path)
        where = place if self.item is None else (self.item, *place)
        item = "" if self.item is None else f" item {self.item + 1}"
        return f"{self.path}{item} line {_line(self._root(), where)}"

    def at_text(self, text: str) -> str:
        """The file with the line on which a value first stands."""
        root = self._root()
        if self.item is not None and isinstance(root, yaml.SequenceNode):
            root = root.value[self.item]
        lines = [line for value, line in _scalars(root) if value == text]
        return f"{self.path} line {lines[0]}" if lines else str(self)

    def _root(self) -> yaml.Node | None:
        return yaml.compose(self.text, Loader=yaml.SafeLoader)  # only nodes: nothing is constructed


def read_part(path: Path) -> YamlPart:
    """A YAML file as a whole.

    Raises:
        UsageError: as ``read_yaml``.
    """
    text = read_text(path)
    return YamlPart(path, text, parse_yaml(text, str(path)))


def read_parts(path: Path) -> list[YamlPart]:
    """The items of a YAML file that is a list; the whole of any other.

    Raises:
        UsageError: as ``read_yaml``.
    """
    whole = read_part(path)
    if not isinstance(whole.data, list):
        return [whole]
    return [YamlPart(path, whole.text, item, number) for number, item in enumerate(whole.data)]


def _line(root: yaml.Node | None, place: Place) -> int:
    """The line of the deepest node on the way to a place; a key of either spelling will do."""
    node, line = root, 1
    for step in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if _spelling(key.value) == _spelling(step):
                    node, line = value, key.start_mark.line + 1
                    break
    return line


def _spelling(key: Any) -> str:
    return str(key).replace("_", "").lower()


def _scalars(node: yaml.Node | None) -> list[tuple[str, int]]:
    if isinstance(node, yaml.ScalarNode):
        return [(node.value, node.start_mark.line + 1)]
    if isinstance(node, yaml.SequenceNode):
        return [found for item in node.value for found in _scalars(item)]
    if isinstance(node, yaml.MappingNode):
        return [found for pair in node.value for one in pair for found in _scalars(one)]
    return []
