"""How fast a world is simulated, and that its memory does not grow with the number of persons.

    python -m benchmarks.simulate [--persons 20000] [--days 365] [--folder DIR]

Prints for N and for 4 N persons, each in a process of its own: events, wall and processor seconds, events per second,
bytes written, peak memory. Targets: a million events of all sources in 30 s on two quiet cores, the same peak at 4 N.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] = ()) -> None:
    """Measure in child processes, whose peaks of memory are their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--once", action="store_true", help="Measure N in this process.")
    given = parser.parse_args(arguments)
    if given.once:
        run(given.folder, given.persons, given.days)
        return
    for persons in (given.persons, 4 * given.persons):
        folder = Path(tempfile.mkdtemp(dir=given.folder))
        try:
            options = [
                "--once",
                "--persons",
                str(persons),
                "--days",
                str(given.days),
                "--folder",
                str(folder / "world"),
            ]
            subprocess.run([sys.executable, "-m", "benchmarks.simulate", *options], check=True)
        finally:
            shutil.rmtree(folder)


def run(folder: Path, persons: int, days: int) -> None:
    """Simulate once and print what it took."""
    from ingest.simulator.simulate import Arguments, simulate

    begin = time.perf_counter()
    manifest = simulate(Arguments(persons, days, seed=1), folder)
    wall = time.perf_counter() - begin
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    events = sum(told["events"] for told in manifest["deliveries"].values())
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(
        f"{persons:>9,} persons {events:>11,} events {wall:7.1f} s ({cpu:6.1f} cpu) {events / wall:>9,.0f} events/s"
        f" ({events / cpu:,.0f} a cpu second) {written / 2**20:>7,.0f} MB,"
        f" peak memory {usage.ru_maxrss / 1024:,.0f} MB",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
