"""Debug mode: what is told on standard error, and that it is about nobody by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pipeline.projects import Studio

EVENT = {
    "eventId": "e1",
    "timestamp": "2026-03-01T09:00:00Z",
    "eventType": "video_rendered",
    "personId": "secret-user",
    "email": "secret@example.com",
    "properties": {"title": "secret film"},
    "traits": {"name": "Secret Name"},
}


def told(text: str) -> list[dict[str, Any]]:
    """The lines without the time at which they were written."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(line.pop("timestamp") and line.pop("level") == "debug" for line in lines)
    return lines


def test_each_landed_event_is_told_and_nobody_is_named(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which identifiers it carried, not what they are; a repeat does not land and is not told."""
    monkeypatch.setenv("DEBUG_EVENTS", "true")
    file = studio.folder / "log.jsonl"
    file.write_text(json.dumps(EVENT) + "\n" + json.dumps(EVENT) + "\n")
    answer = studio.ok("ingest", "events", file)
    assert "secret" not in answer.err.lower()
    (line,) = told("\n".join(row for row in answer.err.splitlines() if row.startswith("{")))
    assert line == {
        "event": "event_landed",
        "entity": "event",
        "batch_seq": 1,
        "source": "app",
        "event_id": "e1",
        "event_type": "video_rendered",
        "occurred_at": "2026-03-01T09:00:00+00:00",
        "identifiers": ["user_id", "email"],
    }


def test_each_evaluation_of_a_segment_is_told(sample: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a person by a key alone; nothing is told where the switch is off."""
    asked = ("segment", "is-member", "power_users", "user_id:user-0000145")
    assert "segment_asked" not in sample.ok(*asked).err
    monkeypatch.setenv("DEBUG_SEGMENTS", "1")
    answer = sample.ok(*asked)
    (line,) = told("\n".join(row for row in answer.err.splitlines() if row.startswith("{")))
    assert (line["event"], line["segment_id"], line["is_member"]) == (
        "segment_asked",
        "power_users",
        answer.out == "yes\n",
    )
    assert isinstance(line["identifier_key"], int)
    assert "user-0000145" not in answer.err


def test_a_switch_that_is_neither_on_nor_off_is_refused(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything lands."""
    monkeypatch.setenv("DEBUG_EVENTS", "maybe")
    answer = studio.gdp("status")
    assert (answer.code, answer.err) == (2, "gdp: $DEBUG_EVENTS: give true or false (given: 'maybe')\n")


@pytest.fixture
def studio(tmp_path: Any) -> Studio:
    """A new project."""
    return Studio.make(tmp_path / "studio")


@pytest.mark.slow
def test_a_build_tells_what_it_made_of_each_segment(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """For everybody at first, for the touched persons then, and nothing where only as_of moves."""
    monkeypatch.setenv("DEBUG_SEGMENTS", "true")
    found = []
    for name, day in (("a", 1), ("b", 2), (None, 3)):
        if name:
            studio.land(name, [{**EVENT, "eventId": name}])
        answer = studio.ok("build", "--as-of", f"2026-03-0{day}T12:00Z", "--format", "json")
        lines = told("\n".join(row for row in answer.err.splitlines() if row.startswith("{")))
        found.append({line["segment_id"]: (line["persons"], line["members"]) for line in lines})
    assert found[0]["active_creators"] == ("everybody", 1)
    assert found[1]["active_creators"] == ("touched", 1)
    assert found[2] == {}
