"""A real shop's invoice lines, through the documented commands, against the published cohort counts."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.pipeline.projects import Studio

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT.parent / "shared" / "data" / "online_retail"
MAPPING = ROOT / "docs" / "examples" / "online_retail.yml"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the Online Retail data set is not beside the checkout")
def test_all_91_cells_of_the_published_cohort_counts(tmp_path: Path) -> None:
    """Customers by the month of their first purchase, active k months later; refunds and nameless lines left out."""
    studio = Studio.make(tmp_path / "shop")
    summary = studio.ok("ingest", "events", DATA / "online_retail.parquet", "--map", MAPPING, "--format", "json").json
    assert summary["rows_in"] == 541_909
    assert summary["rows_in"] == summary["landed"] + summary["duplicate"] + summary["quarantined"]
    assert summary["quarantined"] == 0
    studio.build("--as-of", "2012-01-01")
    report = studio.ok(
        "cohort",
        *("--start-event", "purchase", "--return-event", "purchase"),
        *("--interval", "month", "--format", "json"),
    ).json
    found = {
        (cohort["cohort"], cell["period"]): cell["n"]
        for cohort in report["cohorts"]
        for cell in cohort["cells"]
        if cell["complete"]
    }
    with (DATA / "cohort_counts.csv").open() as file:
        expected = {
            (row["cohort_month"], int(row["month_index"])): int(row["active_customers"]) for row in csv.DictReader(file)
        }
    assert len(expected) == 91
    assert {cell: found.get(cell) for cell in expected} == expected
