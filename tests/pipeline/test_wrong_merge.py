"""Two people who were merged by mistake: found, cut, and every table is what it would be without the mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.projects import Studio

#: The mistake of a support tool: the address of somebody else in an event of Ada.
MISTAKE = {"email": "grace@example.com"}
EVENTS: tuple[dict[str, Any], ...] = (
    {"personId": "ada", "email": "ada@example.com", "eventType": "signup_completed"},
    {"personId": "ada", "deviceId": "laptop", "eventType": "video_rendered"},
    {"email": "grace@example.com", "anonymousId": "g1", "eventType": "page_viewed", "utmSource": "newsletter"},
    {"anonymousId": "g1", "eventType": "video_rendered"},
    {"personId": "ada", "eventType": "support_ticket_opened"},
    {"anonymousId": "g1", "eventType": "video_exported"},
    {"personId": "ada", "eventType": "video_rendered"},
)


def told(*, with_mistake: bool) -> list[dict[str, Any]]:
    """The events, an hour apart; with the mistake or without."""
    return [
        {"eventId": f"e{number}", "timestamp": f"2026-06-01T{10 + number}:00:00Z"}
        | event
        | (MISTAKE if with_mistake and event["eventType"] == "support_ticket_opened" else {})
        for number, event in enumerate(EVENTS)
    ]


def persons_of(studio: Studio) -> int:
    """How many there are after a build."""
    studio.build("--as-of", "2026-06-10")
    [row] = studio.ok("sql", "select count(*) as persons from person", "--format", "json").json
    return int(row["persons"])


@pytest.mark.slow
def test_a_wrong_merge_leaves_no_trace_when_it_is_cut(tmp_path: Path) -> None:
    """But for the decision that says so, and the body of the event that told it."""
    right, wrong = Studio.make(tmp_path / "right"), Studio.make(tmp_path / "wrong")
    right.land("told", told(with_mistake=False))
    wrong.land("told", told(with_mistake=True))
    assert persons_of(right) == 2
    assert persons_of(wrong) == 1

    pair = ("user_id:ada", "email:grace@example.com")
    why = wrong.ok("identity", "explain", *pair, "--format", "json").json
    assert [(step["eventType"], step["eventId"]) for step in why["path"]] == [("support_ticket_opened", "e4")]
    wrong.ok("identity", "cut", *pair, "--hashed", "--reason", "the support tool wrote another address")
    assert not any(value in (wrong.folder / "definitions" / "identity.yml").read_text() for value in ("ada", "grace"))
    assert persons_of(wrong) == 2

    expected, found = right.hashes(), wrong.hashes()
    differing = {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)}
    assert {name for name in differing if not name.startswith("intermediate.")} == {
        "main.event",
        "main.identity_decision",
    }
    of_events = ("sql", "select * exclude (body_key, landed_at) from event order by event_id", "--format", "json")
    assert [row for row in wrong.ok(*of_events).json if row["event_id"] != "e4"] == [
        row for row in right.ok(*of_events).json if row["event_id"] != "e4"
    ]
