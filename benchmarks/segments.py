"""Segments: the full history of rules over many events, against what DuckDB needs to count them.

    python -m benchmarks.segments [--events 20000000] [--persons 1000000]

Events lie in one table in the order of the mart; what is measured is the statement that a build, a preview and
``is_in_segment`` run, as the compiler writes it. Seconds are the best of three runs of wall time.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from analytics.segment_leaves import PUBLISHED, Scope
from analytics.segment_rules import compile_segment, compile_segments
from benchmarks.build import apart, timed
from benchmarks.generate import DAYS, EVENT_TYPES, event_sql
from models.segment import SegmentDefinition

THREADS, MEMORY, RUNS = 2, "4GB", 3
#: As many events as a quarter of all.
QUARTER = ("video_previewed", "video_rendered", "invite_sent", "purchase_completed")
ONE = Scope("one_event", "one_property", "one_alias")
TOUCHED = Scope("touched_event", "touched_property", "touched_alias")

EVENT = """
create table event as
select
    cast(hash('person', number_of.person) >> 4 as bigint) as person_key,
    event_type,
    occurred_at,
    event_type not in ('page_viewed', 'identify', 'help_opened', 'pricing_viewed', 'export_failed') as is_action,
    properties
from (
    select *, split_part(anonymous_id, '-', 2)::bigint as person
    from ({events})
) as number_of
order by date_trunc('month', occurred_at), event_type, person_key, occurred_at
"""
PROPERTY = """
create table person_property as
select
    person_key,
    'plan' as property,
    ['free', 'pro', 'team'][cast(1 + hash(person_key, month) % 3 as integer)] as value,
    'text' as value_type,
    first_at as valid_from,
    lead(first_at) over (partition by person_key order by first_at) as valid_to
from (
    select person_key, date_trunc('month', occurred_at) as month, min(occurred_at) as first_at
    from event
    where event_type = 'identify'
    group by all
) as told
"""


def main(arguments: Sequence[str] = ()) -> None:
    """Run the benchmark and print each number beside what it may be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--persons", type=int, default=1_000_000)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "segments.duckdb"
        apart(generate, file, asked.events, asked.persons)
        memory = apart(measure, file)
        print(f"peak memory                                    {memory:8.1f} GB  (at most 6)")


def generate(file: Path, events: int, persons: int) -> None:
    """Write the tables that rules read."""
    with _open(file) as connection:
        connection.execute(EVENT.format(events=event_sql(events, persons, DAYS, 1)))
        connection.execute(PROPERTY)
        connection.execute(
            "create table person_alias as select distinct person_key::varchar as alias_id, person_key from event"
        )


def measure(file: Path) -> float:
    """Print all ratios; the peak memory of the process in GB."""
    with _open(file) as connection:
        measure_one_rule(connection)
        measure_hundred(connection)
        measure_preview(connection)
        measure_person(connection)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure_one_rule(connection: duckdb.DuckDBPyConnection) -> None:
    """The full history of one count rule against a bare count per person."""
    types = ", ".join(f"'{name}'" for name in QUARTER)
    bare = best(connection, f"select person_key, count(*) from event where event_type in ({types}) group by all")
    for least in (1, 3, 10):
        rule = {"eventType": list(QUARTER), "eventCount": {"gte": least}, "eventWindow": "30d"}
        took = best(connection, compile_segment(segment("one", rule), PUBLISHED))
        show(f"count of at least {least} in 30 days / bare count", took / bare, "x", 12)
    for name, rule in (
        ("at most 2 in 30 days", {"eventType": list(QUARTER), "eventCount": {"lte": 2}, "eventWindow": "30d"}),
        ("none in 30 days", {"eventType": list(QUARTER), "eventCount": {"lte": 0}, "eventWindow": "30d"}),
        ("at least 3 days of 30", {"eventType": list(QUARTER), "distinctDays": {"gte": 3}, "eventWindow": "30d"}),
    ):
        show(f"{name} / bare count", best(connection, compile_segment(segment("one", rule), PUBLISHED)) / bare, "x", 12)


def measure_hundred(connection: duckdb.DuckDBPyConnection) -> None:
    """A hundred segments at once against the same one by one; then those of one person in a hundred."""
    segments = hundred()
    text, compiling = timed(lambda: compile_segments(segments, scope_for=lambda _: PUBLISHED))
    binding = statistics.median(
        timed(lambda: connection.execute(f"prepare hundred as {text}"))[1].wall for _ in range(RUNS)
    )
    print(f"100 segments: {len(text):,} characters; to write them {compiling.wall:.2f} s, to plan them {binding:.2f} s")
    singly = sum(best(connection, compile_segment(one, PUBLISHED), runs=1) for one in segments)
    together = best(connection, text)
    print(f"100 segments at once {together:.1f} s, one by one {singly:.1f} s")
    show("100 segments at once / one by one", together / singly, "x", 0.5)
    touched = compile_segments(segments, scope_for=lambda _: TOUCHED)
    increment = best(
        connection, f"with {of_persons('touched', 'person_key % 100 = 0')}, found as ({touched}) from found"
    )
    show("the same for 1 % of the persons / for all", increment / together, "x", 0.1)


def measure_preview(connection: duckdb.DuckDBPyConnection) -> None:
    """Who is in a segment now: the part of a preview that reads events."""
    rules = (
        {"eventType": "video_rendered", "eventCount": {"gte": 10}, "eventWindow": "30d"},
        {"property": "plan", "operator": "equals", "value": "pro"},
    )
    sql = compile_segment(segment("draft", *rules), PUBLISHED)
    now = "(select max(occurred_at) from event)"
    took = best(connection, f"select * from ({sql}) where entered_at <= {now} and coalesce(exited_at > {now}, true)")
    show("who is in a draft of two rules now", took, "s", 3)


def measure_person(connection: duckdb.DuckDBPyConnection) -> None:
    """All of one person's memberships of a segment, for the median of some persons."""
    sql = compile_segment(hundred()[70], ONE)
    keys = connection.execute("select distinct person_key from event order by hash(person_key) limit 15").fetchall()
    took = statistics.median(
        best(connection, f"with {of_persons('one', f'person_key = {key}')}, found as ({sql}) from found", runs=1)
        for (key,) in keys
    )
    show("one segment, one person", took * 1e3, "ms", 50)


def hundred() -> list[SegmentDefinition]:
    """Counts in windows, silences and properties over all event types, alone and combined."""
    names = [name for name, *_ in EVENT_TYPES]
    found: list[SegmentDefinition] = []
    for number in range(100):
        name, other = names[number % 20], names[(number * 7 + 3) % 20]
        count: dict[str, Any] = {
            "eventType": name,
            "eventCount": {"gte": 1 + number % 5},
            "eventWindow": ("7d", "30d", "90d")[number % 3],
        }
        silent = {"eventType": other, "eventCount": {"lte": 0}, "eventWindow": "30d"}
        pays = {"property": "plan", "operator": "equals", "value": ("free", "pro", "team")[number % 3]}
        idle = {"property": "lastActionDate", "operator": "lte", "value": "now - 30d"}
        rules = ((count,), (count, pays), (count, silent), (pays, idle), (silent,))[number // 20]
        found.append(segment(f"segment_{number}", *rules))
    return found


def segment(segment_id: str, *rules: dict[str, Any]) -> SegmentDefinition:
    """A segment of rules that must all hold."""
    return SegmentDefinition.model_validate({"segment_id": segment_id, "name": segment_id, "rules": list(rules)})


def of_persons(prefix: str, condition: str) -> str:
    """The tables that rules read, of some persons."""
    return ", ".join(
        f"{prefix}_{name} as materialized (select * from {table} where {condition})"
        for name, table in (("event", "event"), ("property", "person_property"), ("alias", "person_alias"))
    )


def best(connection: duckdb.DuckDBPyConnection, sql: str, *, runs: int = RUNS) -> float:
    """Seconds of the quickest of some runs that write the rows into a table."""
    return min(
        timed(lambda: connection.execute(f"create or replace temp table answer as {sql}"))[1].wall for _ in range(runs)
    )


def show(name: str, value: float, unit: str, most: float) -> None:
    """One number, and what it may be."""
    print(f"{name:<47}{value:8.2f} {unit:<3} (at most {most:g}){'' if value <= most else '  TOO MUCH'}", flush=True)


def _open(file: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(file), config={"threads": THREADS, "memory_limit": MEMORY})
    connection.execute("set enable_progress_bar = false; set timezone = 'UTC'")
    return connection


if __name__ == "__main__":
    main(sys.argv[1:])
