"""Laying out the build folder: everything dbt reads, under paths that never change."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.segment_leaves import Scope
from analytics.segment_rules import compile_segments, queried
from models.errors import GdpError
from models.landing import ENTITIES, Entity
from pipeline import origin
from pipeline.identity_macros import identity_macros
from pipeline.plan import Plan, build_row
from pipeline.revenue_macros import revenue_macros
from warehouse.control import LandedFile
from warehouse.definitions import Definitions
from warehouse.duck import connect
from warehouse.files import sha256_file
from warehouse.generations import copy_generation
from warehouse.home import Home
from warehouse.segment_sql import BUILT_FROM, TIMELESS, segment_sql
from warehouse.sql import portable_literal, quote_identifier

SEED_FILE = "0000000000.parquet"
GENERATED_MACROS = Path("macros") / "generated"
#: How queries of segments read tables: without the segment of persons, which follows from the stays.
_TABLES = (
    *((name, "{{ ref('" + BUILT_FROM.get(name, name) + "') }}") for name in TIMELESS),
    ("person", "({{ person_present(source('inputs', 'build')) }})"),
)
#: The relations of segment_stay: with the rows of all persons, and of those that a build makes again.
EVERYBODY, TOUCHED = (Scope(f"{who}_event", f"{who}_property", f"{who}_alias", _TABLES) for who in ("all", "touched"))
_TIME = pa.timestamp("us", tz="UTC")


def lay_out(home: Home, plan: Plan, definitions: Definitions, *, built_at: datetime) -> Path:
    """Make the build folder for a plan: working copy, landing links, inputs and the copy of the dbt project.

    Returns: the folder in which dbt is to run.
    """
    build = home.build
    _lay_out_databases(build, plan)
    _link_landing(home, plan)
    _write_inputs(build / "inputs", plan, definitions, built_at)
    return _copy_project(build / "dbt", plan, definitions)


def clear_landing_links(home: Home) -> None:
    """Take the landing links away when a build ends, whatever came of it."""
    shutil.rmtree(home.build / "landing", ignore_errors=True)


def _lay_out_databases(build: Path, plan: Plan) -> None:
    working, previous, scratch = (build / f"{name}.duckdb" for name in ("warehouse", "prev", "scratch"))
    for leftover in (working, previous, scratch):
        leftover.unlink(missing_ok=True)
        leftover.with_name(leftover.name + ".wal").unlink(missing_ok=True)
    if plan.published is not None and not plan.is_full_refresh:
        copy_generation(plan.published.path, working)
        previous.symlink_to(os.path.relpath(plan.published.path, build))
    else:
        connect(previous).close()


def _link_landing(home: Home, plan: Plan) -> None:
    clear_landing_links(home)
    unbuilt = {file.path for file in plan.new_files}
    for file in plan.all_files:
        _check_landing_file(home, file, whole=file.path in unbuilt)
    for name, files in (("all", plan.all_files), ("new", plan.new_files)):
        folder = home.build / "landing" / name
        for entity in ENTITIES:
            (folder / entity.name).mkdir(parents=True)
            pq.write_table(_empty_landing(entity), folder / entity.name / SEED_FILE)
        for file in files:
            os.link(home.root / file.path, folder / file.entity / Path(file.path).name)


def _check_landing_file(home: Home, file: LandedFile, *, whole: bool) -> None:
    """Compare a landing file with its manifest row: its size, and before it is first read every byte.

    Raises:
        GdpError: if it is gone or not what landed.
    """
    path = (home.root / file.path).resolve()
    try:
        damaged = path.stat().st_size != file.bytes or (whole and sha256_file(path) != file.sha256)
    except FileNotFoundError:
        raise GdpError(f"landing file {path} is gone: restore it from a backup") from None
    if damaged:
        raise GdpError(
            f"landing file {path} is not what landed (its size or SHA-256 differs): restore it from a backup"
        )


def _empty_landing(entity: Entity) -> pa.Table:
    columns = ", ".join(f"null::{column.type} as {quote_identifier(column.name)}" for column in entity.columns)
    with connect() as connection:
        table: pa.Table = connection.sql(f"select {columns} limit 0").to_arrow_table()
    return table


def input_tables(definitions: Definitions) -> dict[str, pa.Table]:
    """The definitions that tables are made from and that are no code, by the name of the input."""
    kinds = {**definitions.catalog.events, "*": definitions.catalog.default}
    catalog = [
        {
            "event_type": name,
            "category": kind.category,
            "is_action": kind.is_action,
            "description": kind.description,
        }
        for name, kind in sorted(kinds.items())
    ]
    texts = dict.fromkeys(("event_type", "category", "is_action", "description"), pa.string())
    rates = {"day": pa.date32(), "currency": pa.string(), "rate": pa.decimal128(20, 12)}
    return {
        "event_catalog": _table(texts | {"is_action": pa.bool_()}, catalog),
        "fx_rate": _table(rates, [rate.model_dump() for rate in definitions.fx.rates]),
    }


def _write_inputs(folder: Path, plan: Plan, definitions: Definitions, built_at: datetime) -> None:
    folder.mkdir(exist_ok=True)
    for name, table in input_tables(definitions).items():
        pq.write_table(table, folder / f"{name}.parquet")
    _write(
        folder / "segment.parquet",
        {
            "segment_id": pa.string(),
            "name": pa.string(),
            "display_order": pa.int64(),
            "definition_hash": pa.string(),
            "has_history": pa.bool_(),
        },
        [
            {
                "segment_id": segment.segment_id,
                "name": segment.name,
                "display_order": segment.order,
                "definition_hash": plan.definition_hashes[f"segment:{segment.segment_id}"],
                "has_history": segment.sql is None or segment_sql(segment.sql).has_history,
            }
            for segment in definitions.segments
        ],
    )
    _write(folder / "build.parquet", BUILD_SCHEMA, [build_row(plan, built_at)])


BUILD_SCHEMA: dict[str, pa.DataType] = {
    "as_of": _TIME,
    "generation": pa.string(),
    "built_at": _TIME,
    "project_hash": pa.string(),
    "definition_hashes": pa.string(),
    "landing_hash": pa.string(),
    "max_batch_seq": pa.int64(),
    "last_full_refresh": pa.string(),
}


def _write(path: Path, schema: dict[str, pa.DataType], rows: list[dict[str, Any]]) -> None:
    pq.write_table(_table(schema, rows), path)


def _table(schema: dict[str, pa.DataType], rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema(list(schema.items())))


def _copy_project(target: Path, plan: Plan, definitions: Definitions) -> Path:
    """Copy the dbt project over the last copy, which keeps dbt's parsed manifest (target/) valid."""
    for entry in target.iterdir() if target.exists() else ():
        if entry.name != "target":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(
        origin.DBT_PROJECT,
        target,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("target", "logs", "dbt_packages", ".*"),
    )
    macros = target / GENERATED_MACROS
    again = sorted({*plan.changed_segments, *queried(definitions.segments)})
    ids = ", ".join(f"'{segment_id}'" for segment_id in again)
    _write_macro(macros / "changed_segments.sql", "changed_segments", "{{ return([" + ids + "]) }}")
    identity = identity_macros(definitions.identity, known_at=plan.identity_as_of)
    (macros / "identity_rules.sql").write_text(identity, encoding="utf-8")
    if plan.known_at is not None:
        _write_macro(macros / "received_by_then.sql", "received_by_then", _received_by(plan.known_at), "name")
    (macros / "revenue_policy.sql").write_text(revenue_macros(definitions.revenue), encoding="utf-8")
    if definitions.segments:
        sql = compile_segments(
            definitions.segments,
            scope_for=lambda segment_id: EVERYBODY if segment_id in again else TOUCHED,
        )
        _write_macro(macros / "segment_intervals.sql", "segment_intervals", f"\n{sql}\n")
    return target


def _received_by(moment: datetime) -> str:
    """The condition of landed rows that had been received by a moment, by the name of their kind."""
    then = f"cast({portable_literal(moment.isoformat())} as {{{{ time_type() }}}})"
    cases = "".join(
        f"{{% {'if' if number == 0 else 'elif'} name == '{entity.name}' %}}{entity.known_at} <= {then}"
        for number, entity in enumerate(ENTITIES)
    )
    return f"{cases}{{% endif %}}"


def _write_macro(path: Path, name: str, body: str, argument: str = "") -> None:
    path.write_text(f"{{% macro {name}({argument}) %}}{body}{{% endmacro %}}\n", encoding="utf-8")
