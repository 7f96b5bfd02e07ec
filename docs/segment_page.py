"""Makes docs/segments.md: the words stand in docs/segments.txt, tables and sentences come from the code."""

from __future__ import annotations

import re
from pathlib import Path

from analytics.segment_tree import tree_of
from analytics.segment_words import sentence
from models.operators import OPERATORS
from models.person_properties import KNOWN_PROPERTIES, WITHOUT_HISTORY
from models.segment import SegmentDefinition
from warehouse.segment_sql import TIMELESS
from warehouse.yaml_file import parse_yaml, validate

SOURCE = Path(__file__).parent / "segments.txt"
_EXAMPLE = re.compile(r"```yaml\n(.*?)```\n", re.DOTALL)
_TAKES = {"one": "a {}", "list": "a list: {}", "pair": "from, to: {}", "none": "nothing, true or false"}


def page() -> str:
    """The whole page; every example is checked, and what it says is written below it."""
    text = SOURCE.read_text(encoding="utf-8")
    text = (
        text.replace("{operators}\n", _operators())
        .replace("{properties}\n", _properties())
        .replace("{tables}\n", _tables())
    )
    return _EXAMPLE.sub(lambda example: example[0] + f"\n> {_said(example[1])}\n", text)


def _said(example: str) -> str:
    definition = validate(SegmentDefinition, parse_yaml(example, str(SOURCE)), str(SOURCE))
    return sentence(tree_of(definition))


def _operators() -> str:
    rows = (
        (operator.name, _TAKES[operator.shape].format(" or ".join(operator.kinds)), operator.sentence, operator.sql)
        for operator in OPERATORS.values()
    )
    return _table(("operator", "value", "says", "SQL"), rows)


def _properties() -> str:
    rows = ((name, one.kind, one.description) for name, one in KNOWN_PROPERTIES.items())
    return _table(("property", "kind", "what it is"), rows) + (
        "\nA rule cannot name these, of which only the present is known, or which follow from segments: "
        + ", ".join(f"`{name}` ({hint})" for name, hint in WITHOUT_HISTORY.items())
        + ".\n"
    )


def _tables() -> str:
    names = ", ".join(f"`{name}`" for name in TIMELESS)
    return f"It reads {names}, whose rows hold for all time.\n"


def _table(head: tuple[str, ...], rows: object) -> str:
    lines = [head, tuple("---" for _ in head), *((f"`{row[0]}`", *row[1:-1], _last(row)) for row in rows)]  # type: ignore[attr-defined]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _last(row: tuple[str, ...]) -> str:
    return f"`{row[-1]}`" if "{" in row[-1] else row[-1]
