"""Connected components: the build's way against scipy, Splink and plain SQL, of a graph like a product's identifiers.

    pip install '.[bench]'
    python -m benchmarks.identity [--persons 1000000]

A person has 4.4 identifiers and 3.4 edges on average; one in three hangs on another one instead of the user id.
scipy gets its edges as DuckDB encodes them: keys become row numbers, which is part of its time. Splink clusters the
same edges, which it wants with their nodes and a probability. Then one per cent of the persons are joined in pairs, and
only their components are looked for again.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment

from benchmarks.build import Took, apart, timed
from pipeline.origin import DBT_PROJECT
from pipeline.table_functions import register

MACRO = DBT_PROJECT / "macros" / "dispatch" / "connected_components.sql"
THREADS, MEMORY = 2, "4GB"
AT_MOST_OF_SCIPY, AT_MOST_OF_SPLINK, INCREMENT_AT_MOST = 2.0, 1.0, 0.2

#: Identifier 0 of a person is the user id, which all others hang on, by themselves or by the one before.
EDGES = """
create table edge as
with linked as (
    select
        person * 10 as user_number,
        unnest(range(1, cast(2 + hash(person) % 5 + cast(hash(person, 1) % 5 < 2 as integer) as bigint))) as place,
        person
    from range($persons) as persons (person)
),

paired as (
    select
        hash(user_number + case when hash(person, place) % 3 = 0 and place > 1 then place - 1 else 0 end) >> 4 as one,
        hash(user_number + place) >> 4 as other
    from linked
)

select cast(least(one, other) as bigint) as left_key, cast(greatest(one, other) as bigint) as right_key
from paired
"""
ADDED = """
create table added as
select
    cast(least(one, other) as bigint) as left_key,
    cast(greatest(one, other) as bigint) as right_key
from (
    select hash(person * 10) >> 4 as one, hash((person + 1) * 10) >> 4 as other
    from range(0, $persons, 200) as persons (person)
)
"""


def main(arguments: Sequence[str] = ()) -> None:
    """Run the benchmark and print its parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=1_000_000)
    persons = parser.parse_args(arguments).persons
    took = {}
    for name, measure in WAYS.items():
        (nodes, components), took[name], memory = apart(measured, measure, persons)
        print(
            f"{name:18} {nodes:,} identifiers, {components:,} components: {took[name]}, peak {memory:.1f} GB",
            flush=True,
        )
    for part, whole, most in (
        (BUILD, SCIPY, AT_MOST_OF_SCIPY),
        (BUILD, SPLINK, AT_MOST_OF_SPLINK),
        (INCREMENT, BUILD, INCREMENT_AT_MOST),
    ):
        ratio = took[part].cpu / took[whole].cpu
        print(f"{part} / {whole}, CPU: {ratio:.2f} at most {most:g}: {'ok' if ratio <= most else 'MISSED'}")


def measured(measure: Any, persons: int) -> tuple[tuple[int, int], Took, float]:
    """What a way gives, how long it takes, and the memory of its process."""
    with duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY}) as connection:
        connection.execute("set enable_progress_bar = false")
        register(connection)
        connection.execute(EDGES, {"persons": persons})
        connection.execute(ADDED, {"persons": persons})
        run = measure(connection)
        found, took = timed(run)
    return found, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def by_build(connection: duckdb.DuckDBPyConnection) -> Any:
    """The statement of the build."""
    return lambda: _counts(connection, f"create table component as select * from {components('duckdb', 'edge')}")


def by_sql(connection: duckdb.DuckDBPyConnection) -> Any:
    """The statement for an engine without the build's function."""
    return lambda: _counts(connection, f"create table component as select * from {components('default', 'edge')}")


def by_build_again(connection: duckdb.DuckDBPyConnection) -> Any:
    """The build's statement over the edges of the components that new edges touch."""
    by_build(connection)()
    affected = """
    create table affected as
    with touched as (
        select component.label
        from component
        where component.node_key in (select left_key from added union all select right_key from added)
    )

    select edge.left_key, edge.right_key
    from edge
    inner join component on edge.left_key = component.node_key
    where component.label in (select label from touched)
    union all
    select left_key, right_key from added
    """

    def run() -> tuple[int, int]:
        connection.execute(affected)
        found = components("duckdb", "affected")
        return _counts(connection, f"create or replace table component as select * from {found}")

    return run


def by_scipy(connection: duckdb.DuckDBPyConnection) -> Any:
    """Dictionary encoding in DuckDB, then scipy."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    def run() -> tuple[int, int]:
        connection.execute(
            "create table node as select node_key, row_number() over () - 1 as place from ("
            "select left_key as node_key from edge union select right_key from edge)"
        )
        ends = connection.sql(
            "select one.place::integer as a, other.place::integer as b from edge"
            " inner join node as one on edge.left_key = one.node_key"
            " inner join node as other on edge.right_key = other.node_key"
        ).fetchnumpy()
        size = connection.sql("select count(*) from node").fetchall()[0][0]
        graph = coo_array((np.ones(len(ends["a"]), dtype=np.int8), (ends["a"], ends["b"])), shape=(size, size))
        count, labels = connected_components(graph, directed=False)
        connection.register("label", {"place": np.arange(size), "label": labels})
        connection.execute(
            "create table component as select node.node_key, label.label from node"
            " inner join label on node.place = label.place"
        )
        return size, int(count)

    return run


def by_splink(connection: duckdb.DuckDBPyConnection) -> Any:
    """Splink's clustering of the edges, of which each is certain."""
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    connection.execute("create table node as select left_key as node_key from edge union select right_key from edge")
    connection.execute("create view certain as select left_key, right_key, 1.0 as match_probability from edge")

    def run() -> tuple[int, int]:
        found = cluster_pairwise_predictions_at_threshold(
            connection.table("node"),
            connection.table("certain"),
            DuckDBAPI(connection),
            "node_key",
            "left_key",
            "right_key",
            threshold_match_probability=0.5,
        )
        return _counts(connection, f"create view component as select *, cluster_id as label from {found.physical_name}")

    return run


BUILD, SCIPY, SPLINK, INCREMENT = "build", "scipy", "Splink", "build, 1 % new"
WAYS = {BUILD: by_build, SCIPY: by_scipy, SPLINK: by_splink, "plain SQL": by_sql, INCREMENT: by_build_again}


def components(engine: str, edges: str) -> str:
    """The statement of an engine for a table of edges."""
    module: Any = Environment(autoescape=False).from_string(Path(MACRO).read_text(encoding="utf-8")).module
    return str(getattr(module, f"{engine}__connected_components")(edges))


def _counts(connection: duckdb.DuckDBPyConnection, statement: str) -> tuple[int, int]:
    connection.execute(statement)
    nodes, found = connection.sql("select count(*), count(distinct label) from component").fetchall()[0]
    return int(nodes), int(found)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
