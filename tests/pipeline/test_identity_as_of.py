"""Reports by who was who at a past moment: all facts, but persons as they were known then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.projects import Studio

FUNNEL = ("funnel", "page_viewed", "signup_completed", "--window", "60d", "--format", "json")
THEN = ("--identity-as-of", "2026-05-05")
#: A visitor signs up on another device; a login on the tenth joins the two.
EVENTS: tuple[dict[str, Any], ...] = (
    {"timestamp": "2026-05-01T10:00:00Z", "eventType": "page_viewed", "anonymousId": "browser"},
    {"timestamp": "2026-05-02T10:00:00Z", "eventType": "signup_completed", "personId": "ada"},
    {"timestamp": "2026-05-03T10:00:00Z", "eventType": "page_viewed", "anonymousId": "phone", "personId": "grace"},
    {"timestamp": "2026-05-04T10:00:00Z", "eventType": "signup_completed", "personId": "grace"},
    {"timestamp": "2026-05-10T10:00:00Z", "eventType": "logged_in", "anonymousId": "browser", "personId": "ada"},
    {"timestamp": "2026-05-11T10:00:00Z", "eventType": "page_viewed", "anonymousId": "tablet", "personId": "linus"},
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A project whose build knows all events."""
    studio = Studio.make(tmp_path_factory.mktemp("then") / "studio")
    studio.land("told", [{"eventId": f"e{number}"} | event for number, event in enumerate(EVENTS)])
    studio.build("--as-of", "2026-05-20")
    return studio


def reached(studio: Studio, *options: str) -> list[int]:
    """How many people got how far."""
    return [stage["count"] for stage in studio.ok(*FUNNEL, *options).json["stages"]]


def kept(studio: Studio) -> list[Path]:
    """The tables of past identities that are kept."""
    return sorted(studio.home.warehouse_dir.glob("*/*.duckdb"))


@pytest.mark.slow
def test_a_report_asks_who_was_who(built: Studio, tmp_path: Path) -> None:
    """Ada and her browser were two then; the facts of later days are there, and nothing published changes.

    The tables are made once for a moment; those of another one take their place, and a build removes them.
    """
    studio = built.copy(tmp_path / "studio")
    published = studio.hashes()
    assert reached(studio) == [3, 2]
    assert reached(studio, *THEN) == [3, 1]
    assert studio.ok(*FUNNEL, *THEN).json["identityAsOf"] == "2026-05-05T00:00:00Z"
    assert "Persons as they were known at 2026-05-05 00:00 UTC." in studio.ok(*FUNNEL[:-2], *THEN).out
    [first] = kept(studio)
    made = first.stat().st_mtime_ns
    assert reached(studio, *THEN, "--from", "2026-05-02") == [2, 1]
    assert [file.stat().st_mtime_ns for file in kept(studio)] == [made]
    assert reached(studio, "--identity-as-of", "2026-05-10T10:00:00Z") == [3, 2]
    [second] = kept(studio)
    assert second != first
    assert studio.hashes() == published
    studio.build("--as-of", "2026-05-21")
    assert kept(studio) == []


@pytest.mark.slow
def test_links_that_were_decided_later_do_not_count(built: Studio, tmp_path: Path) -> None:
    """One that does not say when it was decided always did."""
    studio = built.copy(tmp_path / "studio")
    link = "hand:\n- {link: ['user_id:ada', 'anonymous_id:browser'], reason: x%s}\n"
    for decided, expected in (("", [3, 2]), (", decided_at: '2026-05-09T00:00:00Z'", [3, 1])):
        (studio.folder / "definitions" / "identity.yml").write_text(link % decided)
        studio.build("--as-of", "2026-05-20")
        assert reached(studio, *THEN) == expected


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--identity-as-of", "2126-01-01"), "--identity-as-of 2126-01-01T00:00:00+00:00 is not past"),
        (("--identity-as-of", "soon"), "--identity-as-of"),
        ((*THEN, "--sql", "--format", "table"), "--sql is for the published tables: leave out --identity-as-of"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(options: tuple[str, ...], says: str, sample: Studio) -> None:
    """In one line, before anything is made."""
    answer = sample.gdp(*FUNNEL, *options)
    assert answer.code == 2
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert kept(sample) == []


def test_tables_that_cannot_be_made_again_are_refused(own_sample: Studio) -> None:
    """Where the rules changed since the build, as they are no longer those of the published tables."""
    (own_sample.folder / "definitions" / "identity.yml").write_text("hub_threshold: 3\n")
    answer = own_sample.gdp(*FUNNEL, *THEN)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        "gdp: the tables cannot be made again as they are: the identity rules changed since the published build;"
        " run gdp build first\n"
    )
