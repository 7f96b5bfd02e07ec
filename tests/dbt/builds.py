"""Builds of small landings: the real build folder, dbt in this process (starting it anew would cost seconds each)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from models.catalog import EventCatalog
from models.fx import FxRates
from models.identity import IdentityRules
from models.landing import BODY_COLUMNS, EVENT, EVENT_COLUMNS, Entity
from pipeline.build import BUILD_COMMAND
from pipeline.compiled import keep_compiled
from pipeline.origin import Published
from pipeline.plan import Plan
from pipeline.prepare import GENERATED_MACROS, lay_out
from tests.dbthere import run_dbt_here
from warehouse.control import LandedFile
from warehouse.definitions import Definitions
from warehouse.files import sha256_file
from warehouse.generations import seal
from warehouse.home import Home
from warehouse.table_hash import table_hash

_ARROW = {
    "BIGINT": pa.int64(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}


def _schema(entity: Entity) -> pa.Schema:
    return pa.schema([(column.name, _ARROW[column.type]) for column in entity.columns])


def delivery(**given: Any) -> dict[str, Any]:
    """A landed delivery; what is not given is absent, and body_key follows from the content."""
    row: dict[str, Any] = dict.fromkeys(column.name for column in EVENT_COLUMNS)
    row |= {"source": "app", "properties": "{}"} | given
    body = [str(row[column.name]) for column in BODY_COLUMNS]
    row["body_key"] = int(hashlib.sha256(json.dumps(body).encode()).hexdigest()[:15], 16)
    return row


@dataclass
class Workshop:
    """A home whose landing is written directly, and whose generations are built one after the other."""

    home: Home
    catalog: EventCatalog
    segments: Mapping[str, str] = field(default_factory=dict)
    rules: IdentityRules = field(default_factory=IdentityRules)
    fx: FxRates = field(default_factory=FxRates)
    identity_as_of: datetime | None = None
    known_at: datetime | None = None
    files: list[LandedFile] = field(default_factory=list)
    built: int = 0
    seen_segments: dict[str, str] = field(default_factory=dict)
    keeps_sql: bool = False
    keeps_scratch: bool = False

    def land(self, deliveries: Iterable[Mapping[str, Any]], entity: Entity = EVENT) -> None:
        """Land one batch."""
        batch = len(self.files) + 1
        rows = [
            {**row, "batch_seq": batch, "row_number": number, "landed_at": datetime(2026, 1, 1, tzinfo=timezone.utc)}
            for number, row in enumerate(deliveries, start=1)
        ]
        path = self.home.landing / entity.name / f"{batch:010d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=_schema(entity)), path)
        moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self.files.append(
            LandedFile(
                *(batch, entity.name, "test", str(path.relative_to(self.home.root)), len(rows), path.stat().st_size),
                *(sha256_file(path), moment, moment, moment),
            )
        )

    def relanded(self, batches: Iterable[Iterable[Mapping[str, Any]]]) -> None:
        """Land other batches in the place of all before."""
        self.files.clear()
        for batch in batches:
            self.land(batch)

    def build(self, as_of: datetime, *, full: bool = False, unit_tests: bool = False, data_tests: bool = True) -> Path:
        """Build a generation; every model, and every test that is asked for, must be green."""
        folder = self.prepare(as_of, full=full)
        command = BUILD_COMMAND[:1] if unit_tests else BUILD_COMMAND if data_tests else ("run",)
        dbt(folder, *command, keeps_scratch=self.keeps_scratch)
        return self.publish()

    def prepare(self, as_of: datetime, *, full: bool = False) -> Path:
        """Lay out the build folder; returns where dbt is to run."""
        published = None if full else self._published()
        plan = self._plan(as_of, published)
        definitions = Definitions(self.catalog, self.rules, (), fx=self.fx)
        folder = lay_out(self.home, plan, definitions, built_at=as_of)
        self._write_segments(folder, plan)
        return folder

    def publish(self) -> Path:
        """Make the working copy the next generation."""
        working = self.home.build / "warehouse.duckdb"
        if self.keeps_sql and not self.built:
            keep_compiled(working, json.loads((self.home.build / "dbt" / "target" / "manifest.json").read_bytes()))
        seal(working)
        self.built = len(self.files)
        self.seen_segments = dict(self.segments)
        return working.rename(self.home.warehouse_dir / f"{self._next()}.duckdb")

    def _next(self) -> str:
        return f"{len(list(self.home.warehouse_dir.glob('*.duckdb'))) + 1:06d}"

    def _published(self) -> Published | None:
        files = sorted(self.home.warehouse_dir.glob("*.duckdb"))
        moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
        return Published(files[-1], moment, "", {}, "", self.built, "") if files else None

    def _plan(self, as_of: datetime, published: Published | None) -> Plan:
        return Plan(
            generation=self._next(),
            as_of=as_of,
            published=published,
            full_refresh_because=None if published else "a test",
            changed_segments=tuple(self._changed_segments()) if published else (),
            new_files=tuple(self.files[self.built :] if published else self.files),
            all_files=tuple(self.files),
            project_hash="",
            definition_hashes={},
            identity_as_of=self.identity_as_of,
            known_at=self.known_at,
        )

    def _changed_segments(self) -> list[str]:
        names = sorted({*self.segments, *self.seen_segments})
        return [name for name in names if self.segments.get(name) != self.seen_segments.get(name)]

    def _write_segments(self, folder: Path, plan: Plan) -> None:
        """Put segments of SQL where the compiled ones would be; those that differ from the last build read everyone."""
        parts = [
            sql.replace("EVENT", "all_event" if name in plan.changed_segments else "touched_event")
            for name, sql in self.segments.items()
        ]
        (folder / GENERATED_MACROS / "segment_intervals.sql").write_text(
            "{% macro segment_intervals() %}\n" + "\nunion all\n".join(parts) + "\n{% endmacro %}\n"
        )
        rows = [
            {
                "segment_id": name,
                "name": name.title(),
                "display_order": order,
                "definition_hash": "h",
                "has_history": True,
            }
            for order, name in enumerate(self.segments)
        ]
        schema = pq.read_schema(self.home.build / "inputs" / "segment.parquet")
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), self.home.build / "inputs" / "segment.parquet")


def dbt(folder: Path, *arguments: str, keeps_scratch: bool = False) -> None:
    """Run a dbt command that must succeed; of warnings, only currencies without a rate are no failure.

    Args:
        keeps_scratch: what the build found to be new can be read afterwards, in ``scratch.duckdb``.
    """
    outcome = run_dbt_here(folder, arguments, environment={} if keeps_scratch else {"GDP_SCRATCH": ":memory:"})
    bad = [
        f"{node.name}: {node.message}"
        for node in outcome.nodes
        if node.failed or (node.status == "warn" and not node.name.startswith("every_currency_has_a_rate"))
    ]
    assert not bad, "\n".join(bad)
    assert outcome.success, outcome.explain()


@contextmanager
def opened(file: Path) -> Any:
    """A generation, opened for reading, times in UTC."""
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def hashes(file: Path) -> dict[str, str]:
    """The hash of every table and view, the intermediate ones too, but for those that describe the build."""
    with opened(file) as connection:
        found = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_catalog = current_database() and table_name <> 'build_info'",
        ).fetchall()
        return {name: table_hash(connection, name, schema=schema) for schema, name in sorted(found)}


def rows_of(file: Path, table: str, columns: Iterable[str]) -> list[dict[str, Any]]:
    """All rows of a table, some columns."""
    names = list(columns)
    with opened(file) as connection:
        rows = connection.execute(f"select {', '.join(names)} from {table}").fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]
