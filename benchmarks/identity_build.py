"""The identity part of a build: its models from landing to owners, in full and in an increment of 1 % new edges.

    pip install '.[bench]'
    python -m benchmarks.identity_build [--persons 1000000] [--keep FOLDER]

A person has 4.4 identifiers and 3.4 edges on average, each edge of an event of its own: every set of identifiers is
seen once, which is the worst case. The increment shows as many new anonymous ids of known persons as are one per cent
of the edges. Times are CPU seconds of dbt running the models of identity and those that say which events count, less
those of the latter alone, and less the same for one person, which is what dbt itself needs. Of the increment it is
counted, too, which published events it writes anew: they should be those of persons whose key changed, because an id is
new that was seen before all others.
The peer reads the same files, encodes their texts as row numbers in DuckDB, has scipy find the components, and writes
who is whose: without first proofs, trust, blocked values, hashes of e-mails, hubs, limits, shared devices, names of
persons, or keys that stay the same in the next build.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import duckdb

from benchmarks.build import MEMORY_AT_MOST_GB, Took, apart, build_once, land, timed
from benchmarks.generate import START, Landing, write_landing
from pipeline.build import dbt_environment
from pipeline.plan import plan_build
from pipeline.prepare import clear_landing_links, lay_out
from pipeline.project import Project, find_project, init_project
from warehouse.dbt import run_dbt

FULL_AT_MOST, INCREMENT_AT_MOST = 2.0, 0.2
IDENTITY = ("int_identity__*",)
#: What says which events count, for all models.
BEFORE_IDENTITY = ("+int_event__displaced", "+int_stripe__event_delivery")

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
        peer = apart(by_peer, folder, landing.files[0])
        print(f"peer, from landing to owners: {peer}", flush=True)
        apart(measure, folder, landing, peer)


def generate(folder: Path, persons: int) -> Landing:
    """Write two batches: the edges of all persons, then one per cent more, in the columns of other landing files."""
    landing = write_landing(folder, events=10, persons=1, increments=1, base_batches=1)

    values = ", ".join(f"{value(id_type)} as {id_type}" for id_type in sorted({*TYPES}))
    with duckdb.connect(config={"memory_limit": "4GB"}) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
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


def by_peer(folder: Path, file: Path) -> Took:
    """Read, encode, find components with scipy, write."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sighting = " union all ".join(
        f"select body_key, '{id_type}' as id_type, {id_type} as id_value from '{file}' where {id_type} is not null"
        for id_type in sorted({*TYPES})
    )

    def run() -> None:
        with duckdb.connect(str(folder / "peer.duckdb"), config={"threads": 2, "memory_limit": "4GB"}) as connection:
            connection.execute("set enable_progress_bar = false")
            connection.execute(f"create temp table sighting as {sighting}")
            connection.execute(
                "create temp table node as"
                " select id_type, id_value, row_number() over () - 1 as place from sighting group by id_type, id_value"
            )
            ends = connection.sql(
                "with placed as ("
                "select body_key, place::integer as place from sighting inner join node using (id_type, id_value)"
                ") select distinct one.place as one, other.place as other"
                " from placed as one inner join placed as other using (body_key) where one.place < other.place"
            ).fetchnumpy()
            size = connection.sql("select count(*) from node").fetchall()[0][0]
            graph = coo_array((np.ones(len(ends["one"]), dtype=np.int8), (ends["one"], ends["other"])), (size, size))
            _, labels = connected_components(graph, directed=False)
            connection.register("label", {"place": np.arange(size), "label": labels})
            connection.execute(
                "create table owner as select id_type, id_value, label from node inner join label using (place)"
            )

    return timed(run)[1]


def measure(folder: Path, landing: Landing, peer: Took) -> None:
    """Build from nothing, add, build again: each time the models of identity first by themselves."""
    project = find_project(folder)
    alone = identity_part(one_person(folder / "one"))
    print(f"the models of identity for one person: {alone}", flush=True)
    parts, generations = [], []
    for name, file in zip(("full build", "increment"), landing.files, strict=True):
        land(project, [file])
        parts.append(identity_part(project).cpu - alone.cpu)
        print(f"{name}, the models of identity: {parts[-1]:.1f} s CPU", flush=True)
        print(f"{name}, whole: {build_once(project, landing)}", flush=True)
        generations.append(project.home.current.resolve())
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    for name, ratio, most in (
        ("full build / peer, CPU", parts[0] / peer.cpu, FULL_AT_MOST),
        ("increment / full build, CPU", parts[1] / parts[0], INCREMENT_AT_MOST),
        ("peak memory, GB", memory, MEMORY_AT_MOST_GB),
    ):
        print(f"{name}: {ratio:.2f} at most {most:g}: {'ok' if ratio <= most else 'MISSED'}")
    events, rewritten, moved = rewritten_events(*generations)
    print(
        f"events rewritten by the increment: {rewritten:,} of {events:,},"
        f" of persons whose key changed {moved:,}: {'ok' if rewritten == moved else 'MISSED'}"
    )


def one_person(folder: Path) -> Project:
    """A project of one person's events."""
    init_project(folder)
    project = find_project(folder)
    land(project, generate(project.home.ensure().landing / "event", 1).files[:1])
    return project


def rewritten_events(before: Path, after: Path) -> tuple[int, int, int]:
    """The events of a published build, how many the next one wrote anew, and how many have another person there.

    A row that is written anew has another place in the table, or another value.
    """
    with duckdb.connect(config={"threads": 2, "memory_limit": "4GB"}) as connection:
        connection.execute("set enable_progress_bar = false")
        for name, file in (("before", before), ("after", after)):
            connection.execute(f"attach '{file}' as {name} (read_only)")
        rows = connection.sql(
            "select count(*),"
            " count(*) filter (where one.rowid is distinct from other.rowid or one.person_key <> other.person_key),"
            " count(*) filter (where one.person_key <> other.person_key)"
            " from before.event as one left join after.event as other using (body_key)"
        ).fetchall()
    events, rewritten, moved = rows[0]
    return events, rewritten, moved


def identity_part(project: Project) -> Took:
    """What the next build would need for the models of identity, in a build folder that is not published."""
    now = datetime(2027, 1, 1, tzinfo=timezone.utc)
    home, definitions = project.home.ensure(), project.definitions()
    folder = lay_out(home, plan_build(project, definitions, as_of=now), definitions, built_at=now)
    try:
        run_dbt(folder, ["parse"], environment=dbt_environment(project))
        before = timed(lambda: run(project, folder, BEFORE_IDENTITY))[1]
        whole = timed(lambda: run(project, folder, (*BEFORE_IDENTITY, *IDENTITY)))[1]
        return Took(whole.wall - before.wall, whole.cpu - before.cpu)
    finally:
        clear_landing_links(home)


def run(project: Project, folder: Path, models: Sequence[str]) -> None:
    """Let dbt run some models."""
    outcome = run_dbt(folder, ["run", "--select", *models], environment=dbt_environment(project))
    if not outcome.success:
        raise SystemExit(outcome.explain())


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
