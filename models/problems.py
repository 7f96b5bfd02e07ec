"""What is wrong with data, as one line that says where it stands and what would be accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from models.errors import nearest
from models.segment import SEGMENT_ID, WINDOW

Problem = Any  # pydantic_core.ErrorDetails, of which we read type, loc, msg, input and ctx
Place = tuple[int | str, ...]

_ACCEPTED = {
    "missing": "is missing",
    "string_type": "give a text",
    "int_type": "give a whole number",
    "int_parsing": "give a whole number",
    "int_from_float": "give a whole number",
    "int_parsing_size": "give a smaller number",
    "float_type": "give a number",
    "float_parsing": "give a number",
    "finite_number": "give a finite number",
    "bool_type": "give true or false",
    "bool_parsing": "give true or false",
    "none_required": "leave it out",
    "list_type": "give a list",
    "tuple_type": "give a list",
    "dict_type": "give keys with values",
    "model_type": "give keys with values",
    "model_attributes_type": "give keys with values",
    "path_type": "give the path of a folder or file",
    "datetime_type": "give a time with a zone, such as 2026-01-31T12:00:00Z",
    "datetime_parsing": "give a time with a zone, such as 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "give a time with a zone, such as 2026-01-31T12:00:00Z",
    "timezone_aware": "give a time with a zone, such as 2026-01-31T12:00:00Z",
    "literal_error": "give {expected}",
    "greater_than_equal": "give {ge} or more",
    "greater_than": "give more than {gt}",
    "less_than_equal": "give {le} or less",
    "less_than": "give less than {lt}",
    "string_too_short": "give at least {min_length} characters",
    "string_too_long": "give at most {max_length} characters",
    "too_short": "give at least {min_length}",
    "too_long": "give at most {max_length}",
}
_PATTERNS = {
    SEGMENT_ID: "give small letters, digits and _, at most 63, beginning with a letter",
    WINDOW: "give a length such as 24h, 7d or 2w",
    "^https?://": "give an address that begins with http:// or https://",
}
_TYPES = frozenset({"str", "int", "float", "bool", "none"})


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem of a validation, with the nearest name for an unknown key."""
    problems = error.errors(include_url=False)
    branches = _branches_of_first(problems)
    deepest = max(len(branch["loc"]) for branch in branches)
    branches = [branch for branch in branches if len(branch["loc"]) == deepest]
    problem = branches[0]
    place = ".".join(str(part) for part in _place(problem["loc"], problems))
    if problem["type"] == "extra_forbidden":
        hint = nearest(str(problem["loc"][-1]), _keys_at(model, problem["loc"][:-1]))
        return f"unknown key {place!r}" + (f" ({hint})" if hint else "")
    words = " or ".join(dict.fromkeys(accepted(branch) for branch in branches)).replace(" or give ", " or ")
    is_whole = problem["type"] == "value_error" and not place
    shown = "" if problem["type"] == "missing" or is_whole else f" (given: {_shorten(problem.get('input'))})"
    return f"{place + ': ' if place else ''}{words}{shown}"


def first_place(error: ValidationError) -> Place:
    """Where in the data the first problem stands."""
    problems = error.errors(include_url=False)
    deepest = max(_branches_of_first(problems), key=lambda branch: len(branch["loc"]))
    return _place(deepest["loc"], problems)


def accepted(problem: Problem) -> str:
    """What would be accepted instead, in plain words."""
    kind, context = problem["type"], problem.get("ctx") or {}
    if kind == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"give a text of the form {context['pattern']}")
    if kind == "string_too_short" and context["min_length"] == 1:
        return "is empty"
    if kind in _ACCEPTED:
        return _ACCEPTED[kind].format(**context)
    return str(problem["msg"]).replace("Input should be", "give")


def _branches_of_first(problems: Sequence[Problem]) -> list[Problem]:
    """The first problem and, where a value may be of several types, what each of them would say."""
    place = _place(problems[0]["loc"], problems)
    if place == problems[0]["loc"]:
        return [problems[0]]
    return [problem for problem in problems if _place(problem["loc"], problems)[: len(place)] == place]


def _place(loc: Place, problems: Sequence[Problem]) -> Place:
    """Where a problem stands in the data: without the names of types that pydantic tells the members of a union by."""

    def is_member(index: int) -> bool:
        others = {
            problem["loc"][index]
            for problem in problems
            if len(problem["loc"]) > index and problem["loc"][:index] == loc[:index]
        }
        return len(others) > 1 and all(str(other) in _TYPES or "[" in str(other) for other in others)

    return tuple(part for index, part in enumerate(loc) if not is_member(index))


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys_at(model: type[BaseModel], path: Place) -> list[str]:
    """The keys that the model of the innermost named field accepts; the outer model's where it is not clear."""
    found = model
    for part in path:
        field = found.model_fields.get(str(part))
        nested = _types_in(field.annotation) if field else []
        if nested:
            found = nested[0]
    return list(found.model_fields)


def _types_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for arg in getattr(annotation, "__args__", ()) for model in _types_in(arg)]
