"""The main job on the sample: make a project, land all four sources, build the tables, ask the questions.

make demo
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "data" / "demo"
GDP = Path(sys.executable).with_name("gdp")

COMMANDS = (
    "init data/demo",
    "--project data/demo ingest events data/sample/app",
    "--project data/demo ingest segment data/sample/segment",
    "--project data/demo ingest stripe data/sample/stripe",
    "--project data/demo ingest meta data/sample/meta",
    "--project data/demo build --as-of 2026-07-01",
    "--project data/demo funnel signup_completed first_video_created purchase_completed --window 90d --by utm_source",
    "--project data/demo cohort --by signup --interval month --metrics retention_d7,retention_d30",
    "--project data/demo churn users --window 30d --min-activity-before 60d",
    "--project data/demo overlap power_users active_creators inviters",
    "--project data/demo mrr --interval month --reporting spot",
    "--project data/demo revenue --interval month --reporting",
    "--project data/demo segment list",
    "--project data/demo meta matches",
    "--project data/demo status",
)


def main() -> int:
    """Run the commands one after the other, each shown before what it prints; stop at the first that fails."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    for command in COMMANDS:
        print(f"\n$ gdp {command}", flush=True)
        code = subprocess.run([GDP, *command.split()], cwd=ROOT, check=False).returncode
        if command.startswith("init"):
            shutil.copy(ROOT / "data" / "fx.csv", PROJECT / "definitions")
            print("copied exchange rates from data/fx.csv to data/demo/definitions/fx.csv")
        if code:
            print(f"gdp ended with exit code {code}", file=sys.stderr)
            return code
    print("\nThe warehouse is data/demo/data/home/warehouse.duckdb; `gdp --project data/demo sql` asks it anything.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
