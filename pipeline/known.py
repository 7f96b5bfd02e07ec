"""What is known of single persons: one generation, and the rows that landed after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import duckdb

from analytics.identifiers import find_identifier
from analytics.query import Engine
from analytics.segment_explain import stays_of
from analytics.segment_rules import queried
from models.errors import GdpError
from models.segment import SegmentDefinition
from pipeline.compiled import TABLES, needed, read_compiled
from pipeline.prepare import input_tables
from pipeline.table_functions import register
from pipeline.unbuilt import Unbuilt
from warehouse.control import LandedFile
from warehouse.definitions import Definitions
from warehouse.duck import connect
from warehouse.home import Home
from warehouse.reader import Warehouse
from warehouse.sql import quote_literal

Interval = tuple[datetime, datetime | None]
_MOST_KEPT = 10_000


@dataclass
class Known:
    """One generation, the rows that landed after it, and what was worked out from both."""

    warehouse: Warehouse
    definitions: Definitions
    changed: frozenset[str]
    unbuilt: Unbuilt
    maker: duckdb.DuckDBPyConnection
    made: Warehouse
    kept: dict[tuple[int, str], tuple[Interval, ...]] = field(default_factory=dict)
    loaded: int | None = None
    untouched: set[int] = field(default_factory=set)
    prepared: bool | None = None

    @cached_property
    def everything(self) -> Warehouse:
        """Where every identifier is found that landed, built or not."""
        return replace(self.warehouse, connection=self.unbuilt.connection)

    @cached_property
    def by_id(self) -> dict[str, SegmentDefinition]:
        """The segments as they are defined."""
        return {segment.segment_id: segment for segment in self.definitions.segments}

    @cached_property
    def queries(self) -> frozenset[str]:
        """The segments that can only be answered for everybody at once."""
        return queried(self.definitions.segments)

    def identifier(self, person: str) -> tuple[int, str]:
        """The key and the name of the identifier that somebody means.

        Raises:
            UsageError: if nothing that landed carried it, or several identifiers have this value.
        """
        found = find_identifier(self.everything if self.unbuilt.rows else self.warehouse, person)
        return found.key, f"{found.id_type}:{found.id_value}"

    def engine(self, key: int) -> Engine:
        """The tables about the person of an identifier: the published ones, or those made with the new rows."""
        if not self.unbuilt.rows or not self._load(key):
            return self.warehouse
        return self.made

    def stays(self, key: int, segment_id: str) -> tuple[Interval, ...]:
        """A person's stays in a segment, by all that landed."""
        if (key, segment_id) not in self.kept:
            if len(self.kept) >= _MOST_KEPT:
                self.kept.clear()
            self.kept[key, segment_id] = self._stays(key, segment_id)
        return self.kept[key, segment_id]

    def _stays(self, key: int, segment_id: str) -> tuple[Interval, ...]:
        engine = self.engine(key)
        ((person_key,),) = engine.rows(
            "select person_key from intermediate.int_identity__owner"
            " where identifier_key = $key and valid_from is null",
            {"key": key},
        )
        if engine is self.warehouse and segment_id not in self.changed:
            rows = engine.rows(
                "select entered_at, exited_at from segment_stay"
                " where segment_id = $segment_id and person_key = $person_key order by entered_at",
                {"segment_id": segment_id, "person_key": person_key},
            )
            return tuple((entered, exited) for entered, exited in rows)
        return stays_of(engine, self.definitions.segments, segment_id, person_key)

    def _load(self, key: int) -> bool:
        """Make the tables about a person, if a new row can touch the person; whether it can."""
        if self.loaded == key or key in self.untouched:
            return self.loaded == key
        self.loaded = None
        if not self.unbuilt.fill(key):
            self.untouched.add(key)
            return False
        self._make()
        self.loaded = key
        return True

    def _make(self) -> None:
        """The first time as tables; from the second on by statements that are planned once."""
        models = needed(self.unbuilt.models, TABLES)
        if self.prepared is None:
            for model in models:
                self.maker.execute(f"create or replace table {model.relation} as {model.sql}")
            self.maker.execute(
                "create view warehouse.main.person_property as"
                " select * from warehouse.intermediate.int_person__property"
            )
            self.prepared = False
            return
        for number, model in enumerate(models):
            if not self.prepared:
                self.maker.execute(f"prepare make_{number} as insert into {model.relation} {model.sql}")
        self.prepared = True
        for number, model in enumerate(models):
            self.maker.execute(f"delete from {model.relation}")
            self.maker.execute(f"execute make_{number}")


def read_known(
    home: Home,
    path: Path,
    files: Sequence[LandedFile],
    definitions: Definitions,
    *,
    changed: Sequence[str] = (),
    outdated: str | None = None,
    config: Mapping[str, str] | None = None,
) -> Known:
    """A generation and what landed after it.

    Args:
        home: where the landing is.
        path: the generation.
        files: all landing files that count.
        definitions: what the generation was built by, but for the changed segments.
        changed: the segments that are defined otherwise than they were built.
        outdated: why rows that landed since cannot be joined with what was built, if so.
        config: settings of the database in memory.

    Raises:
        GdpError: if it is outdated, and something landed since.
    """
    connection = connect(config={**(config or {}), "temp_directory": str(home.staging)})
    try:
        connection.execute(f"attach {quote_literal(str(path))} as published (read_only)")
        for database, schema in (("warehouse", "intermediate"), ("scratch", "delta")):
            connection.execute(f"attach ':memory:' as {database}")
            connection.execute(f"create schema {database}.{schema}")
        register(connection)
        _write_inputs(connection, definitions)
        ((as_of, generation, batch),) = connection.execute(
            "select as_of, generation, max_batch_seq from published.main.build_info"
        ).fetchall()
        built = tuple(file for file in files if file.batch_seq <= batch)
        new = tuple(file for file in files if file.batch_seq > batch)
        if new and outdated:
            raise GdpError(f"{outdated} since the published build, and something landed: run gdp build first")
        models = read_compiled(connection, "published") if new else ()
        unbuilt = Unbuilt(connection, home, built, new, models)
        if unbuilt.rows:
            unbuilt.load(definitions.identity)
        published, made, maker = connection.cursor(), connection.cursor(), connection.cursor()
        published.execute("use published")
        made.execute("use warehouse")
        # The tables of one person are so small that looking for a better plan costs more than any plan.
        maker.execute("pragma disable_optimizer")
        return Known(
            warehouse=Warehouse(published, path, generation, as_of),
            definitions=definitions,
            changed=frozenset(changed),
            unbuilt=unbuilt,
            maker=maker,
            made=Warehouse(made, path, generation, as_of),
        )
    except BaseException:
        connection.close()
        raise


def _write_inputs(connection: duckdb.DuckDBPyConnection, definitions: Definitions) -> None:
    for name, table in input_tables(definitions).items():
        connection.register("given", table)
        connection.execute(f"create table warehouse.main.input_{name} as select * from given")
        connection.unregister("given")
