"""Adding a link or a cut to a project's identity.yml, with everything that stands there kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import yaml

from analytics.identifiers import identifiers_of
from models.errors import UsageError
from models.identity import HandRule, IdentityRules, hashed
from pipeline.project import STARTER, Project
from warehouse.definitions import IDENTITY_FILE
from warehouse.files import publish_file
from warehouse.reader import current_generation, open_warehouse
from warehouse.yaml_file import keys_of, parse_yaml, read_text, validate

_HEADER = "# Who is one person: see docs/decisions.md.\n"


@dataclass(frozen=True)
class AddedRule:
    """A rule that was added: where, and its two identifiers as they are written."""

    path: Path
    kind: Literal["link", "cut"]
    pair: tuple[str, str]
    #: Those of the two that no event of the published build carried: the rule waits for one. None if there is no build.
    unknown: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md."""
        return {"path": str(self.path), "kind": self.kind, "pair": list(self.pair), "unknown": list(self.unknown)}


def add_hand_rule(
    project: Project,
    kind: Literal["link", "cut"],
    pair: tuple[str, str],
    *,
    reason: str,
    author: str | None = None,
    decided_at: datetime | None = None,
    by_alias: bool = False,
) -> AddedRule:
    """Append a rule to ``definitions/identity.yml``.

    Args:
        project: whose definitions.
        kind: what is decided.
        pair: the two identifiers.
        reason: why.
        author: who says so.
        decided_at: when, for ``--identity-as-of``; a rule without it was always there.
        by_alias: write the identifiers' UUIDs in place of them.

    Raises:
        UsageError: if an identifier is none, the rule is there already, contradicts another one, or the file cannot be
            read or is not written in a way that a rule can be added to.
    """
    named = {kind: list(pair), "reason": reason, "author": author, "decided_at": decided_at}
    rule = validate(HandRule, named, f"{kind} {pair[0]} {pair[1]}")
    if by_alias:
        rule = rule.model_copy(update={kind: tuple(map(hashed, rule.pair))})
    folder = project.definitions_folder
    if folder == STARTER / "definitions":
        raise UsageError("the project has no folder of definitions (gdp init makes one)")
    path = folder / IDENTITY_FILE
    given = read_text(path) if path.exists() else _HEADER
    # Lines that end as on Windows end so afterwards, too.
    line_end = "\r\n" if given.count("\n") == given.count("\r\n") > 0 else "\n"
    text = given.replace(line_end, "\n")
    before = _rules(text, path)
    for other in before.hand:
        if set(other.keys) == set(rule.keys) and (other.cut is None) == (rule.cut is None):
            raise UsageError(f"{path}: that {kind} is there already: {other.reason}")
    added = with_rule(text, rule.model_dump(mode="json", exclude_none=True))
    expected = validate(
        IdentityRules, {**before.model_dump(), "hand": [*before.model_dump()["hand"], rule.model_dump()]}, str(path)
    )
    if _rules(added, path) != expected:
        raise UsageError(
            f"{path}: hand is not a plain list that a rule can be added to: write the {kind} there by hand"
        )
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(added, encoding="utf-8", newline=line_end)
    publish_file(partial, path)
    return AddedRule(path, kind, rule.pair, _unknown(project, rule))


def _unknown(project: Project, rule: HandRule) -> tuple[str, ...]:
    """The identifiers of a rule that no event of the published build carried."""
    home = project.home
    if current_generation(home) is None:
        return ()
    with open_warehouse(home) as warehouse:
        known = identifiers_of(warehouse, rule.keys)
    return tuple(name for name, key in zip(rule.pair, rule.keys, strict=True) if key not in known)


def with_rule(text: str, rule: dict[str, Any]) -> str:
    """The text of an identity.yml with one more rule at the end of ``hand``; all else is kept as it stands."""
    node = _hand_node(text)
    if isinstance(node, yaml.SequenceNode) and node.flow_style and node.value:
        end = node.end_mark.index - 1
        return f"{text[:end].rstrip()}, {_flow(rule)}{text[end:]}"
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        return _after_line(text, _end(node), _block(rule, node.start_mark.column))
    if node is not None:  # hand: []
        start, end = node.start_mark.index, node.end_mark.index
        return _after_line(text[:start].rstrip(" ") + text[end:], len(text[:start].rstrip(" ")), _block(rule, 0))
    lead = text if not text or text.endswith("\n") else text + "\n"
    return f"{lead}hand:\n{_block(rule, 0)}"


def _hand_node(text: str) -> yaml.Node | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == "hand"), None)


def _end(node: yaml.Node) -> int:
    """Where the text of a node ends, without the comments behind it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _after_line(text: str, position: int, block: str) -> str:
    """A text with a block behind the line of a position."""
    line_end = text.find("\n", position)
    if position > 0 and text[position - 1] == "\n":  # the end of a block scalar
        return text[:position] + block + text[position:]
    if line_end < 0:
        return f"{text}\n{block}"
    return text[: line_end + 1] + block + text[line_end + 1 :]


def _block(rule: dict[str, Any], column: int) -> str:
    lines = [f"{name}: {_value(value)}" for name, value in rule.items()]
    indent = " " * column
    return f"{indent}- {lines[0]}\n" + "".join(f"{indent}  {line}\n" for line in lines[1:])


def _flow(rule: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {_value(value)}" for name, value in rule.items()) + "}"


def _value(value: str | list[str]) -> str:
    """A value as JSON, which YAML reads as the same."""
    return json.dumps(value, ensure_ascii=not _is_printable(value))


def _is_printable(value: str | list[str]) -> bool:
    return all(text.isprintable() for text in ([value] if isinstance(value, str) else value))


def _rules(text: str, path: Path) -> IdentityRules:
    return validate(IdentityRules, keys_of(parse_yaml(text, str(path))), str(path))
