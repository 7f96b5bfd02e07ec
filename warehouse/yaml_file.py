"""Definitions as YAML, read so that the text means what it says: no surprises of YAML 1.1, no cleverness."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from models.errors import UsageError
from models.problems import Place, first_place, first_problem

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Plain scalars are text unless they are JSON's true, false, null or a decimal number."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$"), list("-0123456789")
)


def _refusal(problem: str, mark: Any) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)


def _int(_loader: _Loader, node: yaml.ScalarNode) -> int:
    if len(node.value) > 20:
        raise _refusal("a number of more than 20 digits", node.start_mark)
    return int(node.value)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            key = str(key_node.value)
        if key in mapping:
            raise _refusal(f"{key!r} stands here twice", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _refuse_aliases_and_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("anchors and aliases are not used here", event.start_mark)
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _refusal(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1


def read_yaml(path: Path) -> Any:
    """The content of a YAML file as plain dicts, lists and scalars; an empty file is ``None``.

    Raises:
        UsageError: if the file cannot be read or is not YAML as we take it; the message has the line.
    """
    return parse_yaml(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file of definitions.

    Raises:
        UsageError: if it cannot be read, is too large or not UTF-8.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 at byte {error.start}") from None


def parse_yaml(text: str, where: str) -> Any:
    """The content of a YAML text, as ``read_yaml`` gives it.

    Raises:
        UsageError: if it is not YAML as we take it; the message has the line.
    """
    try:
        _refuse_aliases_and_depth(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (the loader above is a restricted SafeLoader)
    except RecursionError:
        raise UsageError(f"{where}: nested deeper than {MAX_DEPTH} levels") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise UsageError(f"{where}{line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{where}: {' '.join(str(error).split())}") from None


def keys_of(data: Any) -> Any:
    """What a text says whose top is to be keys: an empty one has none; anything else is for ``validate`` to judge."""
    return {} if data is None else data


def validate(model: type[Model], data: Any, where: str | Callable[[Place], str]) -> Model:
    """Check plain data against a model.

    Args:
        model: what it should be.
        data: as ``read_yaml`` gives it.
        where: how messages call it, or what says so of a place in it.

    Raises:
        UsageError: with the first thing that is wrong, where it stands, and what would be accepted.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        place = where if isinstance(where, str) else where(first_place(error))
        raise UsageError(f"{place}: {first_problem(error, model)}") from None
