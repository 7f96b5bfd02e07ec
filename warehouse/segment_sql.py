"""Segments written in SQL: what such a query may be, checked before any table is read.

It is one SELECT on the tables of the warehouse, by functions whose answer follows from what they are given. It is
parsed, and every table, function and kind of clause in it must be one of those that are allowed; then it is bound to
empty tables in a database of its own, which can reach nothing, and has to give the columns of a segment.
"""

from __future__ import annotations

import atexit
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from models.errors import UsageError, nearest
from warehouse.duck import connect
from warehouse.sql import quote_identifier

MARTS = Path(__file__).parent.parent / "dbt_project" / "models" / "marts"
#: Tables that hold for all time: what they say does not depend on the build's now.
TIMELESS = (
    *("event", "event_daily", "session", "account", "identity_link", "person_alias", "person_property"),
    *("subscription_item_period",),
)
#: Where a build reads a table from, if not from that of the name.
BUILT_FROM = {"person_property": "int_person__property"}
#: Tables cut at the build's now, for segments without a past.
PRESENT = ("person",)

_MOST_CHARACTERS = 100_000
_WITH_PAST = ({"entered_at", "exited_at"}, "TIMESTAMP WITH TIME ZONE")
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_REFERENCES = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "CTE"})
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
_WINDOWS = frozenset(
    {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"}
    | {"first_value", "last_value", "nth_value", "first", "last"}
)
#: Functions that are defined by others; the rest of DuckDB's of that kind ask about the session.
_MACROS = frozenset(
    {"if", "nullif", "split_part", "date_add", "days_in_month", "fdiv", "fmod", "geomean", "wavg", "weighted_avg"}
    | {"array_append", "array_prepend", "array_reverse", "array_to_string", "list_append", "list_prepend"}
    | {"list_reverse", "list_sum", "list_avg", "list_min", "list_max", "list_count", "list_first", "list_last"}
    | {"list_any_value", "list_bool_and", "list_bool_or", "list_median", "list_mode", "list_string_agg"}
    | {"map_contains_entry", "map_contains_value"}
)
#: What looks steady and speaks of the engine, or takes a query for a value.
_UNSTEADY = re.compile(
    r"__.*|version|current_.*|json_(de)?serialize.*|parse_duckdb_.*|reservoir_.*|hive_.*|finalize|combine.*"
)
#: What SQL writes without brackets: the clock, and who asks.
_CLOCK = frozenset(
    {"now", "today", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
    | {"get_current_time", "get_current_timestamp", "transaction_timestamp"}
    | {"current_localtime", "current_localtimestamp"}
)
_SESSION = frozenset(
    {"user", "current_user", "session_user", "current_role", "current_schema", "current_catalog", "current_database"}
)
_NO_CLOCK = "the clock is not read: give entered_at and exited_at, which are compared with the build's now"
_LINE = re.compile(r"\n+LINE (\d+):")


@dataclass(frozen=True)
class SegmentSql:
    """A query that is a segment: its text without a semicolon, and what it gives and reads."""

    text: str
    columns: tuple[str, ...]
    tables: tuple[str, ...]

    @property
    def has_history(self) -> bool:
        """Whether it says since when, or only who is in it as of the build."""
        return "entered_at" in self.columns

    @property
    def person(self) -> str:
        """The column that says who: person_id, any id that the person ever had, or person_key."""
        return "person_id" if "person_id" in self.columns else "person_key"

    @property
    def needs_now(self) -> bool:
        """Whether its answer depends on the build's now."""
        return not set(self.tables).isdisjoint(PRESENT)


@lru_cache(maxsize=256)
def segment_sql(text: str) -> SegmentSql:
    """The query of a segment.

    Raises:
        UsageError: with the line of the query, what is wrong with it, and what would be accepted.
    """
    if len(text) > _MOST_CHARACTERS or "\x00" in text:
        raise UsageError(f"a query of more than {_MOST_CHARACTERS:,} characters, or with a NUL character")
    with _sandbox().cursor() as connection:
        tables = _check(text, _parsed(connection, text))
        query = re.sub(r"[;\s]+\Z", "", text)
        columns = _columns(connection, query)
    shape = {name for name, _ in columns}
    who = shape & {"person_id", "person_key"}
    past = shape - who
    if len(who) != 1 or len(shape) != len(columns) or (past and past != _WITH_PAST[0]):
        given = ", ".join(name for name, _ in columns)
        raise UsageError(
            f"it gives the columns {given}; a segment is person_id (or person_key), entered_at, exited_at,"
            " or person_id alone: who is in it now"
        )
    for name, kind in columns:
        if name in past and kind not in (_WITH_PAST[1], '"NULL"'):
            raise UsageError(f"{name} is {kind}; it must be a time with a zone (TIMESTAMPTZ)")
        if name == "person_key" and kind != "BIGINT":
            raise UsageError(f"person_key is {kind}; it must be that of the tables (BIGINT)")
    found = SegmentSql(query, tuple(name for name, _ in columns), tables)
    if found.has_history and found.needs_now:
        table = next(name for name in tables if name in PRESENT)
        raise UsageError(
            f"{table} is cut at the build's now, so no past can be made of it: read {', '.join(TIMELESS)},"
            " or give person_id alone"
        )
    return found


def table_columns() -> Mapping[str, Mapping[str, str]]:
    """The columns that a query may read, and their types, by table: the contracts of the tables."""
    return _contracts()


@lru_cache(maxsize=1)
def _contracts() -> Mapping[str, Mapping[str, str]]:
    models = [
        model
        for path in sorted(MARTS.glob("*.yml"))
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")).get("models") or ())
    ]
    found = {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for model in models
        if model["name"] in (*TIMELESS, *PRESENT)
    }
    found["person"].pop("segment")
    return found


@lru_cache(maxsize=1)  # nothing that it is asked can change it
def _sandbox() -> duckdb.DuckDBPyConnection:
    """An empty database with the tables, which can neither read nor write anything else."""
    connection = connect(config={"memory_limit": "200MB", "threads": "1"})
    for table, columns in _contracts().items():
        defined = ", ".join(f"{quote_identifier(name)} {kind}" for name, kind in columns.items())
        connection.execute(f"create table {quote_identifier(table)} ({defined})")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    atexit.register(_sandbox.cache_clear)  # DuckDB complains on standard error of what outlives its module
    return connection


def _parsed(connection: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    ((found,),) = connection.execute("select json_serialize_sql($text::varchar)", {"text": text}).fetchall()
    tree: dict[str, Any] = json.loads(found)
    if tree["error"]:
        if tree["error_type"] != "parser":
            raise UsageError("it is no query: a segment is one SELECT")
        raise UsageError(f"{_line_at(text, int(tree.get('position') or 0))}{tree['error_message']}")
    if len(tree["statements"]) != 1:
        raise UsageError(f"it has {len(tree['statements'])} statements: a segment is one SELECT")
    statement: dict[str, Any] = tree["statements"][0]
    return statement


@lru_cache(maxsize=1)
def _functions() -> frozenset[str]:
    with connect() as connection:
        rows = connection.execute(
            "select function_name from duckdb_functions() where function_type in ('scalar', 'aggregate')"
            " group by function_name"
            " having bool_and("
            "coalesce(stability, 'CONSISTENT') = 'CONSISTENT' and not coalesce(has_side_effects, false))"
        ).fetchall()
    return frozenset(name for (name,) in rows if not _UNSTEADY.fullmatch(name)) | _MACROS | _WINDOWS


def _check(text: str, statement: dict[str, Any]) -> tuple[str, ...]:
    """The tables that a query reads, if there is nothing else in it than what it may have."""
    nodes = list(_nodes(statement))
    own = {entry["key"].lower() for node in nodes for entry in (node.get("cte_map") or {}).get("map", ())}
    read: dict[str, None] = {}
    for node in nodes:
        kind, place = node.get("type"), _line_at(text, node.get("query_location"))
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _NODES:
            raise UsageError(f"{place}a segment is one SELECT")
        if node.get("sample"):
            raise UsageError(f"{place}a sample is another one each time")
        if node.get("class") == "PARAMETER":
            raise UsageError(f"{place}a query has no parameters")
        if node.get("class") in ("FUNCTION", "WINDOW"):
            _check_function(node, place)
        elif node.get("class") == "COLUMN_REF":
            _check_column(node["column_names"], place)
        elif "alias" in node and "sample" in node:
            if kind not in _REFERENCES:
                raise UsageError(f"{place}a query reads tables, and no {str(kind).lower()}")
            if kind == "BASE_TABLE" and (name := _table(node, place, own)) is not None:
                read[name] = None
            if kind == "TABLE_FUNCTION" and node["function"].get("function_name") not in _TABLE_FUNCTIONS:
                named = node["function"].get("function_name")
                raise UsageError(f"{place}a query reads tables, and no {named}()")
    return tuple(sorted(read))


def _check_column(names: list[str], place: str) -> None:
    if len(names) == 1 and names[0].lower() in _CLOCK:
        raise UsageError(place + _NO_CLOCK)
    if len(names) == 1 and names[0].lower() in _SESSION:
        raise UsageError(f"{place}no {names[0]} in a segment: it is the same whoever asks")


def _check_function(node: dict[str, Any], place: str) -> None:
    name = str(node["function_name"]).lower()
    path = (node.get("qualified_name") or {}).get("path") or [name]
    if node.get("schema") or node.get("catalog") or len(path) > 1:
        raise UsageError(f"{place}function {'.'.join(path)} is of no schema here: write {name} alone")
    if name in _functions() or name in _TABLE_FUNCTIONS:
        return
    if name in _CLOCK:
        raise UsageError(place + _NO_CLOCK)
    hint = nearest(name, [one for one in _functions() if one.isidentifier()])
    raise UsageError(f"{place}no function {name} in a segment" + (f" ({hint})" if hint.startswith("did") else ""))


def _table(node: dict[str, Any], place: str, own: set[str]) -> str | None:
    """The table that a reference names; None for a part of the query itself."""
    name = str(node["table_name"]).lower()
    path = (node.get("qualified_name") or {}).get("path") or [name]
    is_plain = not (node.get("schema_name") or node.get("catalog_name") or len(path) > 1 or node.get("at_clause"))
    if is_plain and name in (*TIMELESS, *PRESENT):
        return name
    if is_plain and name in own:
        return None
    shown = ".".join(str(part) for part in path)
    raise UsageError(f"{place}no table {shown!r} for a segment ({nearest(name, (*TIMELESS, *PRESENT))})")


def _columns(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[str, str]]:
    try:
        rows = connection.execute(f"describe\n{query}").fetchall()
    except duckdb.Error as error:
        message = str(error)
        line = _LINE.search(message)
        said = " ".join(message[: line.start() if line else None].split())
        said = re.sub(r"^\w+ Error: ", "", said)
        raise UsageError(f"line {int(line[1]) - 1}: {said}" if line else said) from None
    return [(str(name).lower(), kind) for name, kind, *_ in rows]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    pending = [tree]
    while pending:
        found = pending.pop()
        if isinstance(found, dict):
            yield found
            pending.extend(found.values())
        elif isinstance(found, list):
            pending.extend(found)


def _line_at(text: str, position: int | None) -> str:
    if position is None or not 0 <= position < 2**63:
        return ""
    lines_before = text.encode()[:position].count(b"\n")  # positions count bytes
    return f"line {lines_before + 1}: "
