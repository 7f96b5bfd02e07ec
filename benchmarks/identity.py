"""Connected components: the build's SQL against the same in scipy, of a graph like that of a product's identifiers.

    pip install scipy
    python -m benchmarks.identity [--persons 1000000]

A person has 4.4 identifiers and 3.4 edges on average; one in three hangs on another one instead of the user id.
scipy gets its edges as DuckDB encodes them: keys become row numbers, which is part of its time. Then one per cent of
the persons are joined in pairs, and only their components are looked for again.
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
from pipeline.plan import DBT_PROJECT

MACRO = DBT_PROJECT / "macros" / "dispatch" / "connected_components.sql"
THREADS, MEMORY = 2, "4GB"

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
    for name, measure in (("SQL", by_sql), ("scipy", by_scipy), ("SQL, 1 % new edges", by_sql_again)):
        (nodes, components), took, memory = apart(measured, measure, persons)
        print(f"{name:20} {nodes:,} identifiers, {components:,} components: {took}, peak {memory:.1f} GB", flush=True)


def measured(measure: Any, persons: int) -> tuple[tuple[int, int], Took, float]:
    """What a way gives, how long it takes, and the memory of its process."""
    with duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY}) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(EDGES, {"persons": persons})
        connection.execute(ADDED, {"persons": persons})
        run = measure(connection)
        found, took = timed(run)
    return found, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def by_sql(connection: duckdb.DuckDBPyConnection) -> Any:
    """The statement of the build."""
    return lambda: _counts(connection, f"create table component as select * from {components('edge')}")


def by_sql_again(connection: duckdb.DuckDBPyConnection) -> Any:
    """The statement over the edges of the components that new edges touch."""
    by_sql(connection)()
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
        return _counts(connection, f"create or replace table component as select * from {components('affected')}")

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


def components(edges: str) -> str:
    """The build's statement for a table of edges."""
    module: Any = Environment(autoescape=False).from_string(Path(MACRO).read_text(encoding="utf-8")).module
    return str(module.duckdb__connected_components(edges))


def _counts(connection: duckdb.DuckDBPyConnection, statement: str) -> tuple[int, int]:
    connection.execute(statement)
    nodes, found = connection.sql("select count(*), count(distinct label) from component").fetchall()[0]
    return int(nodes), int(found)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
