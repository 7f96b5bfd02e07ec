"""How fast events land, against DuckDB's bare copy of the same file to Parquet on the same threads.

    python -m benchmarks.landing [--rows 1000000] [--threads 2] [--rounds 3] [--folder DIR]

Prints for each form the best of several interleaved rounds: seconds of the bare copy and of the landing, processor
seconds of both, rows per second, and the ratio. Targets: JSONL with every check 0.3, trusted Parquet and CSV 0.5.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb

from ingest.events import land_files
from ingest.options import LandOptions
from warehouse.home import Home

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
TYPES = ("video_rendered", "signup_completed", "project_opened", "template_used", "export_started", "session_started")
FIELDS = (
    "eventId: 'VARCHAR', personId: 'VARCHAR', timestamp: 'TIMESTAMPTZ', eventType: 'VARCHAR', source: 'VARCHAR',"
    " sessionId: 'VARCHAR', properties: 'JSON', utmSource: 'VARCHAR', utmMedium: 'VARCHAR', ipAddress: 'VARCHAR',"
    " userAgent: 'VARCHAR'"
)


def write_jsonl(path: Path, rows: int) -> None:
    """Events of about 400 bytes, as Python's json writes them."""
    chance = random.Random(1)
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    with path.open("w") as file:
        for _ in range(rows):
            event = {
                "eventId": f"{chance.getrandbits(128):032x}",
                "personId": f"u_{chance.randrange(250_000)}",
                "timestamp": (start + timedelta(milliseconds=chance.randrange(300 * 86_400_000))).isoformat(),
                "eventType": chance.choice(TYPES),
                "source": "app",
                "sessionId": f"s_{chance.getrandbits(32):08x}",
                "properties": {
                    "duration_ms": chance.randrange(100_000),
                    "codec": chance.choice(["h264", "av1", "prores"]),
                    "template": f"tpl_{chance.randrange(500)}",
                    "ok": chance.random() < 0.9,
                },
                "utmSource": chance.choice(["google", "newsletter", "direct"]),
                "utmMedium": "cpc",
                "ipAddress": f"10.0.{chance.randrange(256)}.{chance.randrange(256)}",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0",
            }
            file.write(json.dumps(event) + "\n")


def write_tables(jsonl: Path, parquet: Path, csv: Path) -> None:
    """The same events as flat tables with native names; each property is a column."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"""
            create view flat as select
                eventId as event_id, personId as user_id, timestamp as occurred_at, eventType as event_type,
                source, sessionId as session_id, (properties ->> 'duration_ms')::bigint as duration_ms,
                properties ->> 'codec' as codec, properties ->> 'template' as template,
                (properties ->> 'ok')::boolean as ok, utmSource as utm_source, utmMedium as utm_medium,
                ipAddress as ip_address, userAgent as user_agent
            from read_json('{jsonl}', format = 'newline_delimited', columns = {{{FIELDS}}})
            """
        )
        connection.execute(f"copy flat to '{parquet}' (format parquet)")
        connection.execute(f"copy flat to '{csv}' (format csv, header)")


def bare(query: str, target: Path, threads: int) -> Callable[[], None]:
    """DuckDB's own copy of a file."""

    def run() -> None:
        with duckdb.connect(config={"threads": str(threads), "memory_limit": "2GB"}) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"copy ({query}) to '{target}' (format parquet)")

    return run


def landing(file: Path, folder: Path, rows: int, options: LandOptions) -> Callable[[], None]:
    """Our landing of a file in a new home."""

    def run() -> None:
        home = Home(Path(tempfile.mkdtemp(dir=folder)))
        summary = land_files(home, [file], options, now=NOW)
        shutil.rmtree(home.root)
        assert summary.landed == summary.rows_in == rows, summary.to_json()

    return run


def measure(jobs: dict[str, Callable[[], None]], rounds: int) -> dict[str, tuple[float, float]]:
    """The least wall and processor seconds of each job; the jobs take turns, so that a busy machine slows all."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for name, job in jobs.items():
            wall, cpu = time.perf_counter(), _cpu_seconds()
            job()
            took = time.perf_counter() - wall, _cpu_seconds() - cpu
            best[name] = tuple(map(min, took, best.get(name, took)))  # type: ignore[assignment]
    return best


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(arguments: Sequence[str] = ()) -> None:
    """Make the files, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        run(folder, given.rows, given.threads, given.rounds)
    finally:
        shutil.rmtree(folder)


def run(folder: Path, rows: int, threads: int, rounds: int) -> None:
    """Measure all forms in one folder."""
    jsonl, parquet, csv = folder / "events.jsonl", folder / "events.parquet", folder / "events.csv"
    target = folder / "bare.parquet"
    write_jsonl(jsonl, rows)
    write_tables(jsonl, parquet, csv)
    options = LandOptions(threads=threads)
    trusted = LandOptions(threads=threads, trusted=True)
    names = ", ".join(field.split(":")[0] for field in FIELDS.split(", "))
    queries = {
        "JSONL, every check (bare: types declared)": (
            f"select {names} from read_json('{jsonl}', format = 'newline_delimited', columns = {{{FIELDS}}})",
            jsonl,
            options,
            0.3,
        ),
        "JSONL, every check (bare: types detected)": (f"select {names} from read_json('{jsonl}')", jsonl, options, 0.3),
        "Parquet, trusted": (f"select * from read_parquet('{parquet}')", parquet, trusted, 0.5),
        "CSV, trusted": (f"select * from read_csv('{csv}')", csv, trusted, 0.5),
        "Parquet, every check": (f"select * from read_parquet('{parquet}')", parquet, options, None),
        "CSV, every check": (f"select * from read_csv('{csv}')", csv, options, None),
    }
    print(f"{rows:,} events, {jsonl.stat().st_size / rows:.0f} bytes each as JSON, {threads} threads, best of {rounds}")
    for title, (query, file, how, wanted) in queries.items():
        best = measure({"bare": bare(query, target, threads), "landing": landing(file, folder, rows, how)}, rounds)
        (bare_wall, bare_cpu), (wall, cpu) = best["bare"], best["landing"]
        goal = f" (at least {wanted})" if wanted else ""
        print(
            f"{title:43} bare {bare_wall:6.2f} s ({bare_cpu:5.2f} cpu)   landing {wall:6.2f} s ({cpu:5.2f} cpu)"
            f"   {rows / wall:>9,.0f} rows/s   ratio {bare_wall / wall:.2f}{goal}"
        )
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
