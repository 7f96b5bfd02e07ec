"""A query as a list of named steps: readable one by one, counted one by one, run as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from analytics.table import Column, Sheet, Table
from warehouse.sql import quote_literal

Value = str | int | datetime
_MARKER = re.compile(r"\$([a-z][a-z0-9_]*)")


class Engine(Protocol):
    """What a report needs of an open warehouse."""

    @property
    def generation(self) -> str:
        """Which build this is."""

    @property
    def as_of(self) -> datetime:
        """The build's now."""

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a query; values are bound by name."""

    def dicts(self, sql: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query as dictionaries."""


@dataclass(frozen=True)
class StepCounts:
    """How many rows each step of a query has, in order."""

    steps: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """``{"steps": [{"step", "rows"}]}``."""
        return {"steps": [{"step": step, "rows": rows} for step, rows in self.steps]}

    def table(self) -> Sheet:
        """One screen."""
        return Sheet("Rows of each step", (), (self.records(),))

    def records(self) -> Table:
        """One row per step."""
        return Table((Column("step"), Column("rows", "count")), self.steps)


@dataclass(frozen=True)
class Step:
    """One thought: a name and the select that answers it from tables and from earlier steps."""

    name: str
    select: str


@dataclass(frozen=True)
class Query:
    """Steps in order, each able to read those before it, and the values they name with ``$``."""

    steps: tuple[Step, ...]
    values: Mapping[str, Value]

    def sql(self) -> str:
        """The statement with markers; it selects everything from the last step."""
        return f"{self._with(self.steps)}\nselect * from {self.steps[-1].name}"

    def params(self) -> dict[str, Value]:
        """The values that the statement names, and no others."""
        names = {name for step in self.steps for name in _MARKER.findall(step.select)}
        return {name: value for name, value in self.values.items() if name in names}

    def text(self) -> str:
        """The statement with its values written in, ready to be run by hand in a session whose TimeZone is UTC."""
        return _MARKER.sub(lambda marker: _literal(self.values[marker[1]]), self.sql())

    def until(self, name: str) -> Query:
        """The query that ends at an earlier step."""
        position = next(number for number, step in enumerate(self.steps) if step.name == name)
        return Query(self.steps[: position + 1], self.values)

    def count_sql(self) -> str:
        """The statement that counts the rows of every step, in order."""
        counts = "\nunion all\n".join(
            f"select {number} as position, {quote_literal(step.name)} as step, count(*) as row_count from {step.name}"
            for number, step in enumerate(self.steps, start=1)
        )
        return f"{self._with(self.steps)}\n{counts}\norder by position"

    def run(self, engine: Engine) -> list[dict[str, Any]]:
        """The rows of the last step."""
        return engine.dicts(self.sql(), self.params())

    def count_steps(self, engine: Engine) -> StepCounts:
        """How many rows each step has."""
        return StepCounts(tuple((step, rows) for _, step, rows in engine.rows(self.count_sql(), self.params())))

    @staticmethod
    def _with(steps: Iterable[Step]) -> str:
        return "with " + ",\n\n".join(f"{step.name} as (\n{_indent(step.select)}\n)" for step in steps) + "\n"


def _indent(select: str) -> str:
    return "\n".join("    " + line if line else "" for line in select.strip("\n").splitlines())


def _literal(value: Value) -> str:
    if isinstance(value, datetime):
        return f"timestamptz '{value.isoformat()}'"
    return str(value) if isinstance(value, int) else quote_literal(value)
