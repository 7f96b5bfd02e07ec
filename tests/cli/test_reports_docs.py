"""The examples of docs/reports.md print what the page says."""

from __future__ import annotations

import csv
import io
import re
import shlex
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.app import run
from tests.analytics.builders import Event, TinyWarehouse, event, stay
from warehouse.home import Home

PAGE = Path(__file__).parents[2] / "docs" / "reports.md"
_EXAMPLE = re.compile(r"```csv (events|stays)\n(.*?)```\n\n```text\n\$ gdp ([^\n]*)\n(.*?)```", re.DOTALL)


class Example(NamedTuple):
    """Rows, a command, and what it prints."""

    kind: str
    rows: str
    command: str
    printed: str


EXAMPLES = [Example(*found) for found in _EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.command for example in EXAMPLES])
def test_example(
    example: Example, home: Home, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the page shows is what the command prints."""
    monkeypatch.setenv("COLUMNS", "80")
    with warehouse_of(example) as warehouse:
        warehouse.publish(home)
    assert run(["--home", str(home.root), *shlex.split(example.command)]) == 0
    assert capfdbinary.readouterr().out.decode() == example.printed


def test_every_report_has_an_example() -> None:
    """A section each, with one example."""
    assert [example.command.split()[0] for example in EXAMPLES] == ["funnel", "cohort", "churn", "overlap"]


def warehouse_of(example: Example) -> TinyWarehouse:
    """The warehouse that an example's rows make."""
    rows = list(csv.DictReader(io.StringIO(example.rows)))
    as_of = datetime(2026, 7, 1, tzinfo=timezone.utc)
    if example.kind == "events":
        return TinyWarehouse([_event(row) for row in rows], as_of=as_of)
    stays = [
        stay(
            row["segment"],
            row["person"],
            datetime.fromisoformat(row["entered_at"]),
            datetime.fromisoformat(row["exited_at"]) if row["exited_at"] else None,
        )
        for row in rows
    ]
    return TinyWarehouse(stays=stays, as_of=as_of)


def _event(row: dict[str, str]) -> Event:
    return event(
        row["person"],
        row["event_type"],
        datetime.fromisoformat(row["at"]),
        utm_source=row.get("utm_source") or None,
        is_action=row["event_type"] != "page_viewed",
    )
