"""A made-up world from files to reports, by the commands of README.md, each a process of its own.

    python -m benchmarks.sources_end_to_end [--events 5000000] [--days 365] [--folder DIR]

Prints for each command its wall and processor seconds and its peak memory, those of the processes that it starts
among them. Nothing is left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GDP = Path(sys.executable).with_name("gdp")
#: About how many events of all sources a person of a world of a year has.
EVENTS_OF_A_PERSON = 46
COMMANDS = (
    "simulate --persons {persons} --days {days} --out world",
    "init studio",
    "--project studio ingest events world/app",
    "--project studio ingest segment world/segment",
    "--project studio ingest stripe world/stripe",
    "--project studio ingest meta world/meta",
    "--project studio build --as-of {as_of}",
    "--project studio funnel signup_completed first_video_created purchase_completed --window 90d --by utm_source",
    "--project studio cohort --by signup --interval week --metrics retention_d7,retention_d30",
    "--project studio churn users --window 30d --min-activity-before 60d",
    "--project studio overlap power_users active_creators inviters",
    "--project studio mrr",
    "--project studio revenue",
    "--project studio trials",
    "--project studio segment list",
    "--project studio meta matches",
    "--project studio status",
)


@dataclass(frozen=True)
class Took:
    """Seconds and megabytes of a process and of those that it started."""

    wall: float
    cpu: float
    peak_mb: float


def main(arguments: Sequence[str] = ()) -> None:
    """Run the commands and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        run_all(Path(folder), max(1, given.events // EVENTS_OF_A_PERSON), given.days)


def run_all(folder: Path, persons: int, days: int) -> None:
    """Simulate a world, then take it from its files to the reports."""
    simulate, *others = COMMANDS
    took = [run(folder, simulate.format(persons=persons, days=days))]
    manifest = json.loads((folder / "world" / "manifest.json").read_text())
    events = sum(told["events"] for told in manifest["deliveries"].values())
    print(f"{persons:,} persons, {events:,} events", flush=True)
    took += [run(folder, command.format(as_of=manifest["as_of"])) for command in others]
    wall, cpu = (sum(getattr(one, name) for one in took[1:]) for name in ("wall", "cpu"))
    print(f"{'from files to reports':<58}{wall:8.1f} s {cpu:8.1f} s cpu {events / wall:>12,.0f} events/s")


def run(folder: Path, command: str) -> Took:
    """Run a command of gdp and print what it took.

    Raises:
        SystemExit: if it fails.
    """
    begin = time.perf_counter()
    process = subprocess.Popen([GDP, *command.split()], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"gdp {command}: exit code {process.returncode}")
    took = Took(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    shown = command.removeprefix("--project studio ")
    shown = shown if len(shown) < 56 else shown[:55] + "…"
    print(f"{shown:<58}{took.wall:8.1f} s {took.cpu:8.1f} s cpu {took.peak_mb:>9,.0f} MB", flush=True)
    return took


if __name__ == "__main__":
    main(sys.argv[1:])
