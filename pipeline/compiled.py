"""The tables that rules ask for, as SQL that runs without dbt: kept in each generation by the build that started it.

A build from nothing reads all of the landing, so what dbt compiled for it is the meaning of the tables, whatever rows
they are made from. Increments keep it: code or definitions that would change it make a full refresh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from models.errors import GdpError
from warehouse.duck import connect

#: Where it is kept: the schema and the name of the table.
COMPILED = ("compiled", "model")
#: What rules are worked out from; everything that these are made of is kept, too.
TABLES = ("int_identity__owner", "event", "int_person__property", "person_alias")
#: What says which identifiers rows carry.
CARRIED = ("int_identity__member", "int_identity__identifier", "int_stripe__event_delivery")

_PREFIX = "model.growth_data_plane."
_LANDED = re.compile(
    r"read_parquet\(\s*'\.\./landing/all/(\w+)/\*\.parquet',\s*union_by_name = true,\s*file_row_number = true\s*\)"
)
_INPUT = re.compile(r"read_parquet\('\.\./inputs/(\w+)\.parquet'\)")


@dataclass(frozen=True)
class Model:
    """One table: its name, its place in a database called ``warehouse``, what it is made of, and its select.

    The select reads ``landed_<entity>`` and ``input_<name>`` where the build reads files.
    """

    name: str
    relation: str
    needs: tuple[str, ...]
    sql: str


def keep_compiled(working: Path, manifest: Mapping[str, Any]) -> None:
    """Write the models that ``TABLES`` follow from into a working copy, as dbt compiled them."""
    nodes = {name.removeprefix(_PREFIX): node for name, node in manifest["nodes"].items() if name.startswith(_PREFIX)}
    rows = [
        [model.name, model.relation, ",".join(model.needs), model.sql]
        for model in _models(nodes, [*TABLES, *CARRIED], set())
    ]
    with connect(working) as connection:
        connection.execute("create schema if not exists compiled")
        connection.execute(
            "create or replace table compiled.model"
            " (position bigint, name varchar, relation varchar, needs varchar, sql varchar)"
        )
        connection.executemany(
            "insert into compiled.model values (?, ?, ?, ?, ?)", [[n, *row] for n, row in enumerate(rows)]
        )


def read_compiled(connection: duckdb.DuckDBPyConnection, catalog: str) -> tuple[Model, ...]:
    """The models that a generation keeps, each after those that it reads.

    Raises:
        GdpError: if it was made by hand, without a build of ours.
    """
    try:
        rows = connection.execute(
            f"select name, relation, needs, sql from {catalog}.compiled.model order by position"
        ).fetchall()
    except duckdb.CatalogException:
        raise GdpError(
            "the published build does not say how its tables are made: run gdp build --full-refresh"
        ) from None
    return tuple(
        Model(name, relation, tuple(needs.split(",")) if needs else (), sql) for name, relation, needs, sql in rows
    )


def needed(models: Sequence[Model], wanted: Sequence[str]) -> tuple[Model, ...]:
    """Some models with all that they are made of, in order."""
    by_name = {model.name: model for model in models}
    found: set[str] = set()
    pending = list(wanted)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(by_name[name].needs)
    return tuple(model for model in models if model.name in found)


def _models(nodes: Mapping[str, Any], wanted: Sequence[str], seen: set[str]) -> Iterator[Model]:
    for name in wanted:
        if name in seen:
            continue
        seen.add(name)
        node = nodes[name]
        needs = [other.removeprefix(_PREFIX) for other in node["depends_on"]["nodes"] if other.startswith(_PREFIX)]
        yield from _models(nodes, needs, seen)
        if node["config"]["materialized"] != "ephemeral":
            sql = _INPUT.sub(
                r"warehouse.main.input_\1", _LANDED.sub(r"warehouse.main.landed_\1", node["compiled_code"])
            )
            yield Model(name, node["relation_name"], tuple(_stored(nodes, needs)), sql)


def _stored(nodes: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """What is read in the end: of ephemeral models, what they read."""
    for name in names:
        node = nodes[name]
        if node["config"]["materialized"] == "ephemeral":
            below = [other.removeprefix(_PREFIX) for other in node["depends_on"]["nodes"] if other.startswith(_PREFIX)]
            yield from _stored(nodes, below)
        else:
            yield name
