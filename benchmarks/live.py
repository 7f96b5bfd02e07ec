"""Questions about one person by all that landed.

    python -m benchmarks.live --project DIR [--persons 100]

The project has a build, and rows that landed after it. Prints for persons whom a new row can touch and for others the
median and the 95th percentile of the first question, that of a second one, and how long reading the new rows took.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from pipeline.live import open_live
from pipeline.project import find_project


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--persons", type=int, default=100)
    given = parser.parse_args()
    project = find_project(given.project, given=given.project)
    with open_live(project, clock=lambda: datetime.now(timezone.utc)) as live:
        begun = time.perf_counter()
        known = live.known()
        print(f"{known.unbuilt.rows:,} rows since the build, read in {time.perf_counter() - begun:.2f} s")
        source = known.everything if known.unbuilt.rows else known.warehouse
        rows = source.rows("select identifier_key from intermediate.int_identity__identifier order by 1")
        segments = [name for name in known.by_id if name not in known.queries]
        first: dict[bool, list[float]] = {True: [], False: []}
        second: list[float] = []
        for (key,) in random.Random(1).sample(rows, k=min(given.persons, len(rows))):
            begun = time.perf_counter()
            known.stays(key, segments[0])
            taken = time.perf_counter() - begun
            first[known.engine(key) is known.made].append(taken)
            begun = time.perf_counter()
            known.stays(key, segments[-1])
            second.append(time.perf_counter() - begun)
    for is_touched, word in ((True, "touched by new rows"), (False, "untouched")):
        _print(f"first question about somebody {word}", first[is_touched])
    _print("the second one about the same", second)


def _print(what: str, seconds: Sequence[float]) -> None:
    if seconds:
        ordered = sorted(seconds)
        median, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        print(f"{what}: {len(ordered)} persons, median {median * 1000:.1f} ms, 95th percentile {late * 1000:.1f} ms")


if __name__ == "__main__":
    main()
