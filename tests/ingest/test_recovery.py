"""What must not depend on how often, how late, or in which pieces something is handed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest import jsongate, mappedjson
from ingest.mapping import Mapping
from ingest.options import LandOptions
from ingest.replay import replay
from tests.ingest.landings import NOW, counts, csv, event, jsonl, land, landed
from warehouse.home import Home


def test_a_lost_control_database_costs_no_landed_byte(home: Home) -> None:
    """Files that the manifest does not know are set aside, never deleted: they may be all there is."""
    land(home, jsonl(event(eventId="a")), "a.jsonl")
    land(home, jsonl(event(eventId="b")), "b.jsonl")
    kept = {path.name: path.read_bytes() for path in (home.landing / "event").iterdir()}
    for path in home.root.glob("control.sqlite*"):
        path.unlink()
    land(home, jsonl(event(eventId="c")), "c.jsonl")
    assert landed(home, "event_id") == [("c",)]
    assert {path.name.removeprefix("event-"): path.read_bytes() for path in home.orphaned.iterdir()} == kept


def test_equal_refused_rows_land_each_once_however_they_are_replayed(home: Home) -> None:
    """Rows without an id are told apart by their ordinal, so equal ones are settled together."""
    rows = csv(["user", "event", "time"], *[["u1", "buy", "31/01/2026 10:00"]] * 2, ["u2", "buy", "31/01/2026 10:00"])
    assert counts(land(home, rows, "log.csv")) == (3, 0, 0, 3)
    options = LandOptions(threads=1, mapping=Mapping(time_format="%d/%m/%Y %H:%M"))
    done = [replay(home, [row], now=NOW, options=options) for row in ("1-1", "1-2", "1-3")]
    assert [(one.rows_in, one.landed, one.duplicate) for one in done] == [(2, 2, 0), (0, 0, 0), (1, 1, 0)]
    assert sorted(landed(home, "user_id")) == [("u1",), ("u1",), ("u2",)]


def test_a_retry_of_a_clock_corrected_event_is_a_duplicate(home: Home) -> None:
    """The correction depends on the time of receipt; what the client said does not."""
    sent = event(sentAt="2026-01-30T12:00:05Z", receivedAt="2026-01-30T12:10:05Z")
    assert counts(land(home, jsonl(sent), "first.jsonl")) == (1, 1, 0, 0)
    again = sent | {"receivedAt": "2026-01-30T12:10:35Z"}
    other = again | {"timestamp": "2026-01-30T12:00:01Z"}
    land(home, jsonl(again, other), "again.jsonl")
    keys = [key for (key,) in landed(home, "body_key")]
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-01-30T12:00:06Z", (1, 0, 1, 0)),
        ("2026-02-06T11:00:00Z", (1, 0, 1, 0)),
        ("2026-02-07T13:00:00Z", (1, 1, 0, 0)),
    ],
)
def test_a_repeat_is_found_up_to_a_week_later_in_a_file_of_its_own(
    home: Home, received: str, expected: tuple[int, int, int, int]
) -> None:
    """Though the correction moves its time by as much as it came later, out of the range of what has landed."""
    sent = event(sentAt="2026-01-30T12:00:04Z", receivedAt="2026-01-30T12:00:05Z")
    assert counts(land(home, jsonl(sent), "first.jsonl")) == (1, 1, 0, 0)
    assert counts(land(home, jsonl(sent | {"receivedAt": received}), "again.jsonl")) == expected


def test_a_key_that_appears_late_does_not_change_how_earlier_records_were_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is refused with the --map that would settle it; nothing of it lands."""
    monkeypatch.setattr(mappedjson, "_BATCH_BYTES", 100)
    monkeypatch.setattr(jsongate, "BLOCK_BYTES", 70)
    time = "2026-01-30T12:00:00Z"
    lines = [{"user": "ada", "action": "click", "time": time}] * 2 + [
        {"user": "ada", "event_name": "buy", "time": time}
    ]
    summary = land(home, jsonl(*lines), "log.jsonl", mapping=Mapping(columns={"user_id": "user"}))
    assert counts(summary) == (0, 0, 0, 0)
    assert "give --map event_type=KEY" in str(summary.files[0].error)
    assert landed(home, "event_id") == []
    assert not list(Path(home.landing).rglob("*.parquet"))
