"""Mappings: how the columns of a foreign file become an event. The user's side of it is docs/mapping.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingest.fields import CHOICES, KINDS, Kind, snake
from models.errors import UsageError, nearest
from models.event import Source
from models.problems import first_problem
from warehouse.settings import zone
from warehouse.yaml_file import keys_of, read_yaml, validate

#: Names by which a field may be called in a mapping, beside its own in either spelling.
_ALIASES = {"timestamp": "occurred_at", "time": "occurred_at", "person_id": "user_id", "group_id": "account_id"}
_OPERATORS = ("equals", "starts_with", "ends_with", "contains", "is_in", "is_null", "gt", "gte", "lt", "lte")

#: What a time_format may hold behind a per cent sign.
_DIRECTIVES = tuple("YymdbBHIpMSfzjaA%")

ColumnType = Literal["text", "number", "boolean", "time", "json"]
Scalar = str | int | float | bool


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Condition(_Part):
    """What one column of a row must be like; exactly one test."""

    column: str
    equals: Scalar | None = None
    starts_with: str | None = Field(default=None, min_length=1)
    ends_with: str | None = Field(default=None, min_length=1)
    contains: str | None = Field(default=None, min_length=1)
    is_in: tuple[Scalar, ...] | None = Field(default=None, alias="in", min_length=1, max_length=1000)
    is_null: bool | None = None
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        if len(self.tests()) != 1:
            names = ", ".join("in" if name == "is_in" else name for name in _OPERATORS)
            raise ValueError(f"a condition has exactly one of {names}")
        return self

    def tests(self) -> dict[str, Any]:
        """The tests that are set, by the names of their fields."""
        return {name: value for name in _OPERATORS if (value := getattr(self, name)) is not None}


class Case(_Part):
    """One line of a case: a value and when it is taken; ``else`` takes every row that is left."""

    when: Condition | tuple[Condition, ...] | None = None
    then: str | None = None
    otherwise: str | None = Field(default=None, alias="else")

    @model_validator(mode="after")
    def _when_or_else(self) -> Case:
        given = self.model_fields_set
        if ("otherwise" in given) == ("when" in given) or ("when" in given) != ("then" in given):
            raise ValueError("a line of a case is {when: …, then: …} or {else: …}")
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions that must all hold; none for ``else``."""
        return (self.when,) if isinstance(self.when, Condition) else self.when or ()


class Mapping(_Part):
    """How the rows of a file become events.

    ``columns`` names the column that holds a field (``null`` keeps a field from being guessed from the header),
    ``constants`` a value for all rows, ``case`` a value by conditions. ``types`` says what a column's text stands for;
    ``properties`` which columns become properties: all that are not used otherwise, or these.
    """

    columns: dict[str, str | None] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    case: dict[str, tuple[Case, ...]] = Field(default_factory=dict)
    types: dict[str, ColumnType] = Field(default_factory=dict)
    properties: Literal["all"] | tuple[str, ...] = "all"
    tz: str | None = None
    time_format: str | None = Field(default=None, min_length=2, max_length=100)
    source: Source | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)

    @field_validator("columns", "constants", "case", mode="before")
    @classmethod
    def _our_names(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        named: dict[str, Any] = {}
        for name, value in given.items():
            ours = our_name(str(name))
            if ours in named:
                raise ValueError(f"{ours!r} is given twice")
            named[ours] = value
        return named

    @field_validator("constants")
    @classmethod
    def _possible_constants(cls, constants: dict[str, str]) -> dict[str, str]:
        for name, value in constants.items():
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name} is one of {', '.join(CHOICES[name])}, not {value!r}")
            if KINDS.get(name) in (Kind.TIME, Kind.OBJECT) or name == "event_id":
                raise ValueError(f"{name} cannot be the same for all rows")
        return constants

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        return None if name is None else zone(name).key

    @field_validator("delimiter")
    @classmethod
    def _possible_delimiter(cls, given: str | None) -> str | None:
        if given is not None and (not given.isascii() or given.isalnum() or given in '"\r\n\0'):
            raise ValueError(
                f"{given!r} cannot be one: a delimiter is an ASCII character, but no letter, digit or quote"
            )
        return given

    @field_validator("time_format")
    @classmethod
    def _known_directives(cls, given: str | None) -> str | None:
        for directive in re.findall(r"%.?", given or ""):
            if directive[1:] not in _DIRECTIVES:
                known = ", ".join(f"%{letter}" for letter in _DIRECTIVES)
                raise ValueError(f"{directive} is not among {known}")
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Mapping:
        sections = (("columns", list(self.columns)), ("constants", list(self.constants)), ("case", list(self.case)))
        seen: dict[str, str] = {}
        for section, names in sections:
            for name in names:
                if name in seen:
                    raise ValueError(f"{name} stands in {seen[name]} and in {section}")
                seen[name] = section
        for name, cases in self.case.items():
            if not cases or any("otherwise" in line.model_fields_set for line in cases[:-1]):
                raise ValueError(f"case {name}: one or more lines; else can only be the last")
            if KINDS.get(name) in (Kind.TIME, Kind.OBJECT) or name == "event_id":
                raise ValueError(f"case {name}: a time, an object or an event id comes from a column")
        if "source" in seen and self.source is not None:
            raise ValueError(f"source stands in {seen['source']} and by itself")
        return self

    def named_columns(self) -> list[str]:
        """Every column that the mapping names, each once."""
        conditions = [test for lines in self.case.values() for line in lines for test in line.conditions]
        listed = () if self.properties == "all" else self.properties
        wanted = [theirs for theirs in self.columns.values() if theirs is not None]
        return list(dict.fromkeys((*wanted, *(test.column for test in conditions), *self.types, *listed)))


def our_name(name: str) -> str:
    """The field, ``custom:<name>``, ``properties.<name>`` or ``traits.<name>`` that a mapping's name means.

    Raises:
        ValueError: if it means none; the message has the nearest names.
    """
    for prefix in ("custom:", "properties.", "traits."):
        if name.startswith(prefix) and len(name) > len(prefix):
            return name
    plain = snake(name)
    ours = _ALIASES.get(plain, plain)
    if ours not in KINDS:
        hint = nearest(plain, (*KINDS, *_ALIASES))
        raise ValueError(f"{name!r} is no field of an event ({hint}; further values: properties.NAME)")
    return ours


def load_mapping(given: Sequence[str]) -> Mapping:
    """The mapping of the ``--map`` options: a YAML file, or ``ours=theirs`` pairs, or the file and pairs to add to it.

    Raises:
        UsageError: if there is no such file or something in it cannot be meant.
    """
    files = [text for text in given if "=" not in text]
    pairs = [pair for text in given if "=" in text for pair in text.split(",")]
    if len(files) > 1:
        raise UsageError(f"--map takes one file, not {len(files)}: {', '.join(files)}")
    columns: dict[str, str | None] = {}
    for pair in pairs:
        ours, equals, theirs = (part.strip() for part in pair.partition("="))
        if not (ours and equals and theirs):
            raise UsageError(f"--map {pair!r}: write ours=theirs, such as user_id=customer")
        try:
            name = our_name(ours)
        except ValueError as error:
            raise UsageError(f"--map {pair}: {error}") from None
        if name in columns:
            raise UsageError(f"--map {pair}: {name!r} is given twice")
        columns[name] = theirs
    if not files:
        return Mapping(columns=columns)
    mapping = validate(Mapping, keys_of(read_yaml(Path(files[0]))), files[0])
    try:
        return Mapping(
            **(mapping.model_dump(by_alias=True, exclude_unset=True) | {"columns": {**mapping.columns, **columns}})
        )
    except ValidationError as error:
        raise UsageError(f"{files[0]} with --map {','.join(pairs)}: {first_problem(error, Mapping)}") from None
