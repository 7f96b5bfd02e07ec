"""The identity part of a build: its models' share of a full build, and of an increment of one per cent new edges.

    python -m benchmarks.identity_build [--persons 1000000] [--keep FOLDER]

A person has 4.4 identifiers and 3.4 edges on average, each edge of an event of its own. The increment shows as many new
anonymous ids of known persons as are one per cent of the edges. A model's time is dbt's, of two models at once, with
the time of writing the table; those that merely decide which events count are not of the identity part.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks.build import MEMORY_AT_MOST_GB, apart, build_once, land
from benchmarks.generate import START, Landing, write_landing
from pipeline.project import Project, find_project, init_project

INCREMENT_AT_MOST = 0.2

#: The type of identifier at each place; all hang on the user id or on the one before.
TYPES = ("user_id", "anonymous_id", "email", "device_id", "google_id", "github_id", "anonymous_id", "anonymous_id")

EDGES = """
with linked as (
    select
        person,
        unnest(range(1, cast(2 + hash(person) % 5 + cast(hash(person, 1) % 5 < 2 as integer) as bigint))) as place
    from range($persons) as persons (person)
)

select
    1 as batch_seq,
    person,
    place,
    case when hash(person, place) % 3 = 0 and place > 1 then place - 1 else 0 end as other
from linked
union all
select 2, person * 29, 7, 0 from range(($persons * 34 + 999) // 1000) as persons (person)
"""


def main(arguments: Sequence[str] = ()) -> None:
    """Run the benchmark and print its parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder to work in, which stays")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        init_project(folder)
        landing = apart(generate, find_project(folder).home.ensure().landing / "event", asked.persons)
        apart(measure, folder, landing)


def generate(folder: Path, persons: int) -> Landing:
    """Write two batches: the edges of all persons, then one per cent more, in the columns of other landing files."""
    landing = write_landing(folder, events=10, persons=1, increments=1, base_batches=1)

    values = ", ".join(f"{value(id_type)} as {id_type}" for id_type in sorted({*TYPES}))
    with duckdb.connect(config={"memory_limit": "4GB"}) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"create table landed as from '{landing.files[0]}' limit 0")
        connection.execute(f"create table edge as {EDGES}", {"persons": persons})
        connection.execute(
            f"""
            insert into landed by name
            select
                batch_seq, row_number() over () as row_number, 'app' as source,
                'event-' || person || '-' || place as event_id, 'page_viewed' as event_type,
                timestamptz '{START.isoformat()}' + to_seconds(hash(person, place, 2) % 40000000) as occurred_at,
                occurred_at as received_at, occurred_at as landed_at, '{{}}' as properties,
                cast(hash(person, place, 3) >> 4 as bigint) as body_key, {values}
            from edge
            """
        )
        for batch, file in enumerate(landing.files, start=1):
            connection.execute(
                f"copy (from landed where batch_seq = {batch}) to '{file}' (format parquet, compression zstd)"
            )
    return landing


def value(id_type: str) -> str:
    """SQL for the identifier of a type that an edge carries."""
    domain = "@example.com" if id_type == "email" else ""
    known = [place for place, placed in enumerate(TYPES) if placed == id_type]
    cases = [f"when {place} in (place, other) then person || '-{place}{domain}'" for place in known]
    return f"case {' '.join(cases)} end"


def measure(folder: Path, landing: Landing) -> None:
    """Build from nothing, add, build again."""
    project = find_project(folder)
    parts = []
    for name, file in zip(("full build", "increment"), landing.files, strict=True):
        land(project, [file])
        took = build_once(project, landing)
        seconds = identity_seconds(project)
        parts.append(sum(seconds.values()))
        print(f"{name}: {took}; of it {parts[-1]:.1f} s in the models of identity", flush=True)
        for model, each in sorted(seconds.items(), key=lambda item: -item[1]):
            print(f"    {model:32} {each:6.2f} s")
    ratio, memory = parts[1] / parts[0], resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"increment / full build: {ratio:.2f} at most {INCREMENT_AT_MOST:g}: {verdict(ratio <= INCREMENT_AT_MOST)}")
    print(f"peak memory, GB: {memory:.1f} at most {MEMORY_AT_MOST_GB:g}: {verdict(memory <= MEMORY_AT_MOST_GB)}")


def identity_seconds(project: Project) -> dict[str, float]:
    """What dbt says that each model of identity took in the last build."""
    results = json.loads((project.home.build / "dbt" / "target" / "run_results.json").read_bytes())["results"]
    took = {result["unique_id"].split(".")[-1]: float(result["execution_time"]) for result in results}
    return {name: seconds for name, seconds in took.items() if name.startswith(("int_identity__", "identity_"))}


def verdict(is_met: bool) -> str:
    """The word for a bound that is kept or not."""
    return "ok" if is_met else "MISSED"


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
