"""Building: a full build against a bare read and sort of the same files, and twenty increments of one per cent.

    python -m benchmarks.build [--events 5000000] [--persons 250000] [--increments 20] [--keep FOLDER]

Each build is what ``gdp build`` does, dbt in a process of its own; ratios are of wall time, CPU time stands beside it
because the machine may be busy.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow.parquet as pq

from analytics import analyze_funnel
from benchmarks.generate import Landing, write_landing
from pipeline.build import build
from pipeline.project import Project, find_project, init_project
from warehouse.control import InputRecord, LandedFile, last_batch_seq, record_input
from warehouse.files import sha256_file
from warehouse.reader import open_warehouse

FULL_AT_MOST = 4.0
INCREMENT_AT_MOST = 0.15
FUNNEL_AT_MOST = 1.3
MEMORY_AT_MOST_GB = 6.0
T = TypeVar("T")
STAGES = ("page_viewed", "video_edited", "video_rendered")


@dataclass(frozen=True)
class Took:
    """Seconds of wall and CPU time; CPU includes child processes that have ended."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:6.1f} s wall {self.cpu:6.1f} s CPU"


def main(arguments: Sequence[str] = ()) -> None:
    """Run the benchmark and print its parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--persons", type=int, default=250_000)
    parser.add_argument("--increments", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="a folder to work in, which stays")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        measure(folder, events=asked.events, persons=asked.persons, increments=asked.increments)


def measure(folder: Path, *, events: int, persons: int, increments: int) -> None:
    """Generate, read bare, and build, each in a process of its own: memory is that of the builds alone."""
    init_project(folder)
    landing_folder = find_project(folder).home.ensure().landing / "event"
    landing, took = apart(generate, landing_folder, events, persons, increments + 1)
    print(f"generated {events:,} events and {increments + 1} increments of {landing.events_per_increment:,}: {took}")
    baseline = apart(bare_read_and_sort, landing.base_files, folder)
    print(f"read the landing files, write one sorted table:  {baseline}", flush=True)
    apart(measure_builds, folder, landing, increments, baseline)


def measure_builds(folder: Path, landing: Landing, increments: int, baseline: Took) -> None:
    """Build, add, and build from nothing again."""
    project = find_project(folder)
    land(project, landing.base_files)
    full = build_once(project, landing)
    print(f"full build with all models and tests:            {full}", flush=True)

    took_each, sizes = [], [megabytes(project)]
    for number in range(increments):
        land(project, [landing.increment_file(number)])
        took_each.append(build_once(project, landing))
        sizes.append(megabytes(project))
    print(f"increment, median of {increments}:                         {median(took_each)}")
    print(f"file, MB: {sizes[0]} after the full build, then {sizes[1:]}", flush=True)
    after_increments = funnel_seconds(project)
    fixed = nothing_new(project, landing)
    print(f"a build that finds nothing new (dbt's own cost): {fixed}", flush=True)

    again = build_once(project, landing, full_refresh=True)
    after_full = funnel_seconds(project)
    print(f"full build again, with the increments:           {again}; file, MB: {megabytes(project)}")
    print(
        f"funnel of three stages, ms: {after_increments * 1e3:.0f} after increments, {after_full * 1e3:.0f} built anew"
    )
    report(baseline, full, fixed, median(took_each), after_increments / after_full)


def apart(function: Callable[..., T], *arguments: Any) -> T:
    """Run a function in a fresh process and wait for its result."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def generate(folder: Path, events: int, persons: int, increments: int) -> tuple[Landing, Took]:
    """Write the landing files."""
    return timed(lambda: write_landing(folder, events=events, persons=persons, increments=increments))


def report(baseline: Took, full: Took, fixed: Took, increment: Took, funnel: float) -> None:
    """The ratios beside what they may be."""
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    beyond = [(getattr(increment, kind) - getattr(fixed, kind)) for kind in ("wall", "cpu")]
    rest = [(getattr(full, kind) - getattr(fixed, kind)) for kind in ("wall", "cpu")]
    for name, wall, cpu, most in (
        ("full build / bare read and sort", full.wall / baseline.wall, full.cpu / baseline.cpu, FULL_AT_MOST),
        ("increment / full build, beyond dbt", beyond[0] / rest[0], beyond[1] / rest[1], INCREMENT_AT_MOST),
        ("funnel after increments / built anew", funnel, None, FUNNEL_AT_MOST),
        ("peak memory of a build, GB", memory, None, MEMORY_AT_MOST_GB),
    ):
        by_cpu = f"  (by CPU {cpu:.2f})" if cpu is not None else ""
        print(f"{name:38} {wall:6.2f}{by_cpu:16} at most {most:g}: {verdict(wall <= most)}")


def verdict(is_met: bool) -> str:
    """The word for a bound that is kept or not."""
    return "ok" if is_met else "MISSED"


def bare_read_and_sort(files: Sequence[Path], folder: Path) -> Took:
    """What DuckDB needs for the same files with the same threads and memory, without any meaning."""
    target = folder / "bare.duckdb"

    def run() -> None:
        with duckdb.connect(str(target), config={"threads": os.cpu_count() or 1, "memory_limit": "4GB"}) as con:
            con.execute(f"set temp_directory = '{folder / 'bare.tmp'}'")
            con.execute("set enable_progress_bar = false")
            con.execute(
                "create table event as select * from read_parquet($files)"
                " order by event_type, coalesce(user_id, anonymous_id), occurred_at",
                {"files": [str(file) for file in files]},
            )

    try:
        return timed(run)[1]
    finally:
        target.unlink(missing_ok=True)


def land(project: Project, files: Sequence[Path]) -> None:
    """Enter landing files into the manifest, as the lander does in the transaction that makes them visible."""
    moment = datetime(2027, 1, 1, tzinfo=timezone.utc)
    for file in files:
        rows = pq.read_metadata(file).num_rows
        relative = str(file.relative_to(project.home.root))
        record_input(
            project.home.control,
            InputRecord(file.name, "parquet", file.name, 1, {}, "", rows, rows, 0, 0, {}, moment),
            [
                LandedFile(
                    *(int(file.stem), "event", "events", relative, rows, file.stat().st_size),
                    *(sha256_file(file), moment, moment, moment),
                )
            ],
            None,
        )


def build_once(project: Project, landing: Landing, *, full_refresh: bool = False) -> Took:
    """One build, published."""

    def run() -> None:
        build(project, as_of=landing.as_of, clock=lambda: datetime.now(timezone.utc), full_refresh=full_refresh)

    return timed(run)[1]


def nothing_new(project: Project, landing: Landing) -> Took:
    """The median of three builds after batches without a row."""
    took = []
    for _ in range(3):
        batch = last_batch_seq(project.home.control) + 1
        file = project.home.landing / "event" / f"{batch:010d}.parquet"
        pq.write_table(pq.read_table(landing.files[0]).slice(0, 0), file)
        land(project, [file])
        took.append(build_once(project, landing))
    return median(took)


def funnel_seconds(project: Project) -> float:
    """The best of five funnels over everything."""
    with open_warehouse(project.home) as warehouse:
        took = [timed(lambda: analyze_funnel(warehouse, STAGES, time_window="30d"))[1].wall for _ in range(5)]
    return min(took)


def megabytes(project: Project) -> int:
    """The size of the published file."""
    return round(project.home.current.stat().st_size / 1e6)


def median(took: Sequence[Took]) -> Took:
    """The median of both times."""
    return Took(statistics.median(each.wall for each in took), statistics.median(each.cpu for each in took))


def timed(run: Callable[[], T]) -> tuple[T, Took]:
    """A function's result and what it took."""
    before, began = os.times(), time.monotonic()
    result = run()
    wall, after = time.monotonic() - began, os.times()
    return result, Took(wall, sum(after[:4]) - sum(before[:4]))


if __name__ == "__main__":
    main(sys.argv[1:])
