"""Reports on five million events, in one process, against a bare scan of the same table.

    python -m benchmarks.reports [--events 5000000] [--persons 250000]

The peer of each report is what DuckDB needs to count events and distinct persons of the same event types.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from analytics import churn, cohort, funnel, overlap
from analytics.spec import make_spec
from benchmarks.build import build_once, land, timed
from benchmarks.generate import write_landing
from pipeline.project import find_project, init_project
from warehouse.reader import Warehouse, open_warehouse

RUNS = 5
STAGES = ("signup_completed", "first_video_created", "purchase_completed")
FREQUENT = ("page_viewed", "video_previewed", "video_edited")


def main(arguments: Sequence[str] = ()) -> None:
    """Generate, build once, and time each report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--persons", type=int, default=250_000)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        init_project(Path(folder) / "studio")
        project = find_project(Path(folder) / "studio")
        project.home.ensure()
        landing = write_landing(
            project.home.landing / "event", events=asked.events, persons=asked.persons, increments=1
        )
        land(project, landing.base_files)
        build_once(project, landing)
        with open_warehouse(project.home) as warehouse:
            measure(warehouse)


def measure(warehouse: Warehouse) -> None:
    """Print the best of some runs of each report, and its ratio to the bare scan."""
    rare, frequent = (make_spec(funnel.FunnelSpec, stages=stages, window="30d") for stages in (STAGES, FREQUENT))
    monthly = make_spec(cohort.CohortSpec, by="signup", interval="month", metrics=("retention_d7", "retention_d30"))
    churned = make_spec(churn.ChurnSpec, window="30d", min_activity_before="60d")
    together = make_spec(overlap.OverlapSpec, segments=("power_users", "active_creators"))
    scan_rare, scan_frequent = bare_scan(warehouse, STAGES), bare_scan(warehouse, FREQUENT)
    scan_all = best(lambda: warehouse.rows("select count(*), count(distinct person_key) from event"))
    for name, run, peer in (
        ("funnel, three rare stages", lambda: funnel.run(warehouse, rare), scan_rare),
        ("  the same in portable SQL", lambda: funnel.run(warehouse, rare, form="window"), scan_rare),
        ("funnel, three frequent stages", lambda: funnel.run(warehouse, frequent), scan_frequent),
        ("  the same in portable SQL", lambda: funnel.run(warehouse, frequent, form="window"), scan_frequent),
        ("cohort by month of signup", lambda: cohort.run(warehouse, monthly), scan_all),
        ("churn users", lambda: churn.run(warehouse, churned), scan_all),
        ("overlap of two segments", lambda: overlap.run(warehouse, together), scan_all),
    ):
        took = best(run)
        print(f"{name:<32}{took * 1e3:8.0f} ms   {took / peer:6.1f} x the bare scan of {peer * 1e3:.0f} ms")


def bare_scan(warehouse: Warehouse, event_types: Sequence[str]) -> float:
    """Seconds to count events and distinct persons of some event types."""
    sql = "select event_type, count(*), count(distinct person_key) from event where event_type in $types group by all"
    return best(lambda: warehouse.rows(sql, {"types": list(event_types)}))


def best(run: Callable[[], object]) -> float:
    """Seconds of the quickest of some runs."""
    return min(timed(run)[1].wall for _ in range(RUNS))


if __name__ == "__main__":
    main(sys.argv[1:])
