"""How long whole processes take: help, and a report on the sample.

The peer is Python itself importing typer, so that the ratio says what our own code adds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = 7


def seconds(command: list[str], *, cwd: Path = ROOT) -> float:
    """The median wall time of a whole process over some runs, after one to warm up."""
    times = []
    for _ in range(RUNS + 1):
        begin = time.perf_counter()
        subprocess.run(command, cwd=cwd, check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def main() -> None:
    """Print the medians and their ratios."""
    gdp = [str(Path(sys.executable).with_name("gdp"))]
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "studio"
        in_project = [*gdp, "--project", str(project)]
        for command in (
            [*gdp, "init", str(project)],
            [*in_project, "ingest", "events", str(ROOT / "data" / "sample" / "app")],
            [*in_project, "build", "--as-of", "2026-07-01"],
        ):
            subprocess.run(command, check=True, capture_output=True)
        peer = seconds([sys.executable, "-c", "import typer"])
        print(f"{'python -c import typer':<28}{peer:7.2f} s")
        for name, command in (
            ("gdp --help", [*gdp, "--help"]),
            ("gdp funnel on the sample", [*in_project, "funnel", "signup_completed", "purchase_completed"]),
            ("gdp cohort on the sample", [*in_project, "cohort", "--by", "signup", "--interval", "month"]),
            ("gdp sql on the sample", [*in_project, "sql", "select count(*) from event"]),
        ):
            took = seconds(command)
            print(f"{name:<28}{took:7.2f} s   {took / peer:5.1f} x")


if __name__ == "__main__":
    main()
