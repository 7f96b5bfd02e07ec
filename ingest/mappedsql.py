"""SQL that turns the columns of a table-like file into the fields of an event, as a layout says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.columns import Column
from ingest.fields import KINDS, Kind
from ingest.headers import Layout
from ingest.landing_sql import RawRows
from ingest.mapping import Case, Condition
from ingest.strictjson import quote
from models import limits
from warehouse.sql import quote_identifier, quote_literal

_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class RowForm:
    """How the rows of one file are read: its columns, what they hold, and the zone of naive times."""

    columns: tuple[Column, ...]
    layout: Layout
    tz: str
    time_format: str | None = None

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def fields(self) -> list[str]:
        """The fields that the rows may have, without those inside identifiers, properties and traits."""
        layout = self.layout
        names = {name for name in (*layout.columns, *layout.constants, *layout.cases) if name in KINDS}
        if layout.properties or self.inner("properties"):
            names.add("properties")
        if self.inner("traits"):
            names.add("traits")
        return [name for name in KINDS if name in names]

    @property
    def custom(self) -> list[str]:
        """The names of custom identifiers."""
        names = (*self.layout.columns, *self.layout.constants, *self.layout.cases)
        return sorted(name.removeprefix("custom:") for name in names if name.startswith("custom:"))

    def inner(self, name: str) -> dict[str, str]:
        """What goes into the object ``properties`` or ``traits``: key to the SQL of its JSON text, keys sorted.

        So what a row says does not depend on the order of the file's columns.
        """
        found: dict[str, str] = {}
        if name == "properties":
            for key, column in self.layout.properties:
                found[key] = self.column(column).json(self.tz, self.time_format)
        for ours, column in self.layout.columns.items():
            if ours.startswith(f"{name}."):
                found.setdefault(ours.removeprefix(f"{name}."), self.column(column).json(self.tz, self.time_format))
        for ours in (*self.layout.constants, *self.layout.cases):
            if ours.startswith(f"{name}."):
                found[ours.removeprefix(f"{name}.")] = f"to_json({self.value(ours)})::varchar"
        return dict(sorted(found.items()))

    def value(self, name: str) -> str:
        """The SQL of a field's value, as its kind wants it; null where the row has none."""
        if name in self.layout.constants:
            return quote_literal(self.layout.constants[name])
        if name in self.layout.cases:
            return _case_sql(self, self.layout.cases[name])
        if name in ("properties", "traits"):
            return self._object(name)
        column = self.column(self.layout.columns[name])
        match KINDS.get(name, Kind.IDENTIFIER):
            case Kind.TIME:
                return column.moment(self.tz, self.time_format)
            case Kind.OBJECT:
                return column.object()
            case _:
                return column.text()

    def _object(self, name: str) -> str:
        inner = self.inner(name)
        parts = [f"{quote_literal(quote(key) + ':')} || {value}" for key, value in inner.items()]
        if name in self.layout.columns:
            own = self.column(self.layout.columns[name]).object()
            if not parts:
                return own
            parts.insert(0, f"nullif(substring({own}, 2, length({own}) - 2), '')")
        whole = f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'"
        return f"nullif({whole}, '{{}}')" if name == "traits" else whole


def mapped_rows(form: RowForm, relation: str, *, is_trusted: bool = False) -> RawRows:
    """The fields of the rows of ``relation`` (row_number and the file's columns); trusted rows are all in order."""
    selected = [f"{form.value(name)} as {name}" for name in form.fields]
    selected += [f"{form.value('custom:' + name)} as {quote_identifier('custom:' + name)}" for name in form.custom]
    ok = "true" if is_trusted else f"not coalesce({' or '.join(['false', *_doubts(form)])}, false)"
    columns = ",\n            ".join([*selected, f"{ok} as ok"])
    sql = f"""
        select
            row_number,
            {columns}
        from {relation}
    """
    return RawRows(sql, form.fields, form.custom)


def _doubts(form: RowForm) -> list[str]:
    """The conditions under which a row must be looked at by itself."""
    doubts = []
    for ours, name in form.layout.columns.items():
        column = form.column(name)
        kind = KINDS.get(ours, Kind.IDENTIFIER)
        if kind is Kind.TIME:
            doubts.append(f"({_given(column)} and {column.moment(form.tz, form.time_format)} is null)")
        elif kind is Kind.OBJECT:
            doubts.append(f"({_given(column)} and coalesce(not starts_with({column.object()}, '{{'), true))")
            if inner := form.inner(ours):
                doubts.append(_conflict(column.object(), list(inner)))
    doubts += ["true" for name in ("properties", "traits") if len(form.inner(name)) > limits.MAX_KEYS]
    used = [column for _, column in form.layout.properties]
    used += [name for ours, name in form.layout.columns.items() if ours.startswith(("properties.", "traits."))]
    for name in dict.fromkeys(used):
        column = form.column(name)
        if (doubt := column.doubt(form.tz, form.time_format)) is not None:
            doubts.append(f"coalesce({doubt}, false)")
        if column.is_text:
            doubts.append(f"coalesce(contains({column.sql}, chr(0)), false)")
    for name in ("properties", "traits", "metadata"):
        if name in form.fields:
            doubts.append(f"coalesce(strlen({form.value(name)}), 0) > {limits.MAX_TEXT_BYTES}")
    return doubts


def _conflict(own: str, inner: Sequence[str]) -> str:
    """Whether an object has a key that is also a column, or too many with the columns."""
    names = ", ".join(map(quote_literal, inner))
    return f"(list_has_any(json_keys({own}), [{names}]) or len(json_keys({own})) + {len(inner)} > {limits.MAX_KEYS})"


def doubtful_rows(form: RowForm, relation: str) -> str:
    """The query for rows that are to be looked at one by one.

    Columns: ``row_number``; ``record``, the JSON of the row as it came; the fields, times among them; for each time
    ``<name>_text``, for each object ``<name>_text``; and ``type_problem``, what a mapped type does not allow.
    """
    selected = []
    for name in form.fields:
        kind = KINDS[name]
        if name in ("properties", "traits") and name not in form.layout.columns:
            selected.append(f"{form.value(name)} as {name}_text")
        elif kind is Kind.OBJECT:
            column = form.column(form.layout.columns[name])
            selected.append(f"{column.text()} as {name}_text")
            if form.inner(name):
                parts = ", ".join(
                    f"{quote_literal(quote(key) + ':')} || {value}" for key, value in form.inner(name).items()
                )
                selected.append(f"'{{' || concat_ws(',', {parts}) || '}}' as {name}_inner")
        else:
            selected.append(f"{form.value(name)} as {name}")
            if kind is Kind.TIME:
                selected.append(f"{form.column(form.layout.columns[name]).text()} as {name}_text")
    selected += [f"{form.value('custom:' + name)} as {quote_identifier('custom:' + name)}" for name in form.custom]
    columns = ",\n            ".join(selected)
    return f"""
        select
            row_number,
            {record_sql(form.columns)} as record,
            {columns},
            {_type_problem(form)} as type_problem
        from {relation}
        order by row_number
    """


def record_sql(columns: Sequence[Column]) -> str:
    """The SQL of a row as a JSON object of its columns, without those that are null."""
    parts = []
    for column in columns:
        value = replace(column, reading=None, is_clean=False).json("UTC", None)
        if column.type in ("DOUBLE", "FLOAT"):
            value = f"coalesce({value}, '\"' || {column.sql}::varchar || '\"')"
        elif column.type in ("JSON",):
            value = f"{column.sql}::varchar"
        parts.append(f"{quote_literal(quote(column.name) + ':')} || {value}")
    return f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'"


def _type_problem(form: RowForm) -> str:
    words = {"number": "a number", "boolean": "true or false", "time": "a time", "json": "JSON"}
    used = {column for _, column in form.layout.properties} | set(form.layout.columns.values())
    problems = []
    for column in form.columns:
        if column.name not in used:
            continue
        if column.reading in words and column.is_text:
            failed = f"{column.text()} is not null and {column.json(form.tz, form.time_format)} is null"
            problems.append(
                f"case when {failed} then {quote_literal(f'{column.name} is not {words[column.reading]}')} end"
            )
        elif column.type in ("DOUBLE", "FLOAT"):
            failed = f"not isfinite({column.sql})"
            problems.append(f"case when {failed} then {quote_literal(f'{column.name} is not finite')} end")
    return f"nullif(concat_ws('; ', {', '.join(problems)}), '')" if problems else "null::varchar"


def _given(column: Column) -> str:
    return f"{column.text()} is not null"


def _case_sql(form: RowForm, lines: Sequence[Case]) -> str:
    branches, otherwise = [], "null"
    for line in lines:
        if line.conditions:
            holds = " and ".join(_condition_sql(form.column(test.column), test) for test in line.conditions)
            branches.append(f"when {holds} then {_literal(line.then)}")
        else:
            otherwise = _literal(line.otherwise)
    return f"case {' '.join(branches)} else {otherwise} end" if branches else otherwise


def _condition_sql(column: Column, condition: Condition) -> str:
    text, number = column.text(), f"try_cast({column.text()} as double)"
    ((name, value),) = condition.tests().items()
    match name:
        case "equals":
            return _equals(column, value)
        case "is_in":
            return "(" + " or ".join(_equals(column, one) for one in value) + ")"
        case "starts_with" | "ends_with" | "contains":
            return f"coalesce({name}({text}, {quote_literal(value)}), false)"
        case "is_null":
            return f"{text} is {'' if value else 'not '}null"
        case _:
            return f"coalesce({number} {_COMPARISONS[name]} {value!r}, false)"


def _equals(column: Column, value: str | float | bool) -> str:
    if isinstance(value, bool):
        return f"coalesce(lower({column.text()}) = '{str(value).lower()}', false)"
    if isinstance(value, int | float):
        return f"coalesce(try_cast({column.text()} as double) = {value!r}, false)"
    return f"coalesce({column.text()} = {quote_literal(value)}, false)"


def _literal(value: str | None) -> str:
    return "null::varchar" if value is None else quote_literal(value)
