"""Pixel and server copies of Meta events, from files to the report."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.pipeline.projects import Studio

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
AS_OF = "2026-03-20"


def copy(channel: str, event_id: str, hours: float, user_id: str) -> dict[str, Any]:
    """A copy of a purchase that was received so many hours after the start."""
    received = START + timedelta(hours=hours)
    event = {
        "event_name": "Purchase",
        "event_time": int(received.timestamp()),
        "event_id": event_id,
        "action_source": "website",
        "user_data": {"em": f"{user_id}@example.com", "external_id": user_id},
    }
    return {"received_at": received.isoformat(), "channel": channel, "body": {"data": [event], "access_token": "x"}}


#: What lands before each build.
DELIVERIES = [
    [copy("server", "a", 40, "s40"), copy("server", "a", 60, "s60"), copy("server", "b", 1, "s1")],
    [copy("pixel", "a", 0, "p0"), copy("pixel", "b", 1.05, "p1"), copy("pixel", "c", 2, "p2")],
    [copy("server", "a", -1, "s-1"), copy("server", "c", 2.5, "s2")],
]
#: The persons whose copies are the events after each build.
COUNTED = [["s1", "s40"], ["p0", "p1", "p2", "s60"], ["p1", "p2", "s-1", "s60"]]


@pytest.mark.slow
def test_late_copies_across_three_builds(tmp_path: Path) -> None:
    """Each build has the events of all copies so far, and the last equals a full refresh."""
    studio = Studio.make(tmp_path / "studio")
    for number, (deliveries, counted) in enumerate(zip(DELIVERIES, COUNTED, strict=True)):
        file = studio.folder / f"meta{number}.jsonl"
        file.write_text("".join(json.dumps(delivery) + "\n" for delivery in deliveries))
        assert studio.ok("ingest", "meta", file, "--format", "json").json["landed"] == len(deliveries)
        studio.build("--as-of", AS_OF)
        assert _users(studio, "event join identity_link using (identifier_key)") == counted
    incremental = studio.hashes()
    assert studio.build("--as-of", AS_OF, "--full-refresh")["how"] == "full refresh"
    assert studio.hashes() == incremental
    (purchases,) = studio.ok("meta", "matches", "--format", "json").json["events"]
    assert (purchases["pixel"], purchases["server"], purchases["matched"]) == (3, 4, 3)


def _users(studio: Studio, relation: str) -> list[str]:
    rows = studio.ok("sql", f"select id_value from {relation} order by all", "--format", "json").json
    return [row["id_value"] for row in rows]


@pytest.mark.slow
def test_every_event_of_a_made_up_studio_counts_once(tmp_path: Path) -> None:
    """Copies, repeats and ids that are used again: by name and day, as many events as there were."""
    studio = Studio.make(tmp_path / "studio")
    made = tmp_path / "made"
    studio.ok("simulate", "--out", made, "--persons", 1500, "--days", 60)
    studio.ok("ingest", "meta", made / "meta")
    studio.build("--as-of", json.loads((made / "manifest.json").read_text())["as_of"])
    told = "select event_type, day::varchar as day, events from read_parquet($file) where source = 'meta_pixel'"
    with duckdb.connect() as connection:
        wanted = connection.execute(told, {"file": str(made / "truth" / "event_count.parquet")}).fetchall()
    counted = (
        "select event_type, occurred_at::date::varchar as day, count(*) as events"
        " from event where source = 'meta_pixel' group by all"
    )
    found = studio.ok("sql", counted, "--format", "json").json
    assert sorted((row["event_type"], row["day"], row["events"]) for row in found) == sorted(wanted)
    assert len(wanted) > 50
