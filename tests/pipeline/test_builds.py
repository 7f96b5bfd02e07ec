"""Builds: what is published, when, and that an increment is a full refresh."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import pipeline.origin
from pipeline.build import _report
from pipeline.plan import Plan, plan_build
from pipeline.project import find_project
from tests.conftest import BUILD_REPORT
from tests.pipeline.projects import Studio
from warehouse.dbt import DbtOutcome, NodeResult
from warehouse.locks import exclusive

START = datetime(2026, 3, 1, 9, tzinfo=timezone.utc)


def event(event_id: str, day: float, event_type: str = "video_rendered", **fields: Any) -> dict[str, Any]:
    """An event of the studio, ``day`` days after the start."""
    moment = START + timedelta(days=day)
    return {"eventId": event_id, "timestamp": moment.isoformat(), "eventType": event_type, **fields}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A new project."""
    return Studio.make(tmp_path / "studio")


def test_the_first_build_says_why_it_starts_from_nothing(sample: Studio) -> None:
    """Its report counts what landed, and its tests."""
    report = json.loads((sample.folder / BUILD_REPORT).read_text())
    assert (report["how"], report["because"]) == (
        "full refresh",
        "there is no published generation to start from",
    )
    landings = sample.ok("landing", "list", "--format", "json").json
    assert len(landings) > 24
    assert report["rows_landed_since"] == sum(landing["landed"] for landing in landings)
    assert report["tests_passed"] > 10


@pytest.mark.slow
@pytest.mark.usefixtures("dbt_apart")
def test_an_increment_makes_what_a_full_refresh_makes(own_sample: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late data, a merge, a repeat, changed and removed segments, an earlier as_of; then the catalog changes."""
    monkeypatch.setenv("DBT_EMPTY", "1")
    monkeypatch.setenv("DBT_RESOURCE_TYPES", "model")
    monkeypatch.setenv("DBT_PROFILES_DIR", "/nowhere")
    studio = own_sample
    studio.land("late", [event("late", -20, personId="user-1"), event("late", -20, personId="user-1")])
    studio.land("bridge", [event("b", 4, "signup_completed", personId="user-1", anonymousId="anon-1", utmSource="x")])
    segments = studio.folder / "definitions" / "segments"
    (segments / "inviters.yml").unlink()
    creators = segments / "active_creators.yml"
    creators.write_text(creators.read_text().replace("14d", "3d"))
    report = studio.build("--as-of", "2026-06-06")
    assert (report["how"], report["because"], report["rows_landed_since"]) == ("increment", None, 2)
    assert report["changed_segments"] == ["active_creators", "asked_for_others", "inviters"]
    stays = studio.ok("sql", "select distinct segment_id from segment_stay", "--format", "json").json
    assert {row["segment_id"] for row in stays} == {
        *("active_creators", "asked_for_others", "gone_quiet", "long_renders", "quick_starters"),
        *("ever_rendered", "rendered_and_quiet"),
        *("churn_risk", "held_out", "hand_picked", "power_users", "ten_renders", "trial_to_paid"),
    }

    incremental = studio.hashes()
    catalog = studio.folder / "definitions" / "events.yml"
    catalog.write_text(catalog.read_text() + "  never_sent: {category: referral, is_action: false}\n")
    again = studio.build("--as-of", "2026-06-06")
    assert (again["how"], again["because"]) == ("full refresh", "the event catalog changed")
    assert studio.hashes() == incremental


@pytest.mark.slow
@pytest.mark.usefixtures("dbt_apart")
def test_a_build_is_a_function_of_landing_definitions_and_as_of(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Increments, slices and changed segments give what a full refresh gives; dbt's own variables change nothing."""
    monkeypatch.setenv("DBT_EMPTY", "1")
    monkeypatch.setenv("DBT_RESOURCE_TYPES", "model")
    monkeypatch.setenv("DBT_PROFILES_DIR", "/nowhere")
    studio.land("monday", [event(f"m{n}", n / 10, personId=f"user-{n % 4}") for n in range(30)])
    first = studio.build("--as-of", "2026-03-05")
    assert (first["how"], first["because"], first["rows_landed_since"]) == (
        "full refresh",
        "there is no published generation to start from",
        30,
    )
    assert first["tests_passed"] > 10

    studio.land("tuesday", [event("late", -20, personId="user-1"), event("m3", 0.3, personId="user-3")])
    studio.land("bridge", [event("b", 4, "signup_completed", personId="user-9", anonymousId="anon-1", utmSource="x")])
    second = studio.build("--as-of", "2026-03-06")
    assert (second["how"], second["because"], second["rows_landed_since"]) == ("increment", None, 2)

    sliced = studio.build("--as-of", "2026-04-20")
    assert (sliced["how"], sliced["rows_landed_since"], sliced["models_built"]) == ("slice", 0, 0)

    segment = studio.folder / "definitions" / "segments" / "active_creators.yml"
    segment.write_text(segment.read_text().replace("14d", "3d"))
    changed = studio.build("--as-of", "2026-03-06")
    assert (changed["how"], changed["changed_segments"]) == ("increment", ["active_creators"])
    shutil.rmtree(segment.parent)
    removed = studio.build("--as-of", "2026-03-06")
    assert removed["changed_segments"] == ["active_creators", "churn_risk", "inviters", "power_users", "trial_to_paid"]

    (studio.folder / "definitions" / "fx.csv").write_text("date,currency,rate\n2026-01-01,eur,1.1\n")
    rated = studio.build("--as-of", "2026-03-06")
    assert (rated["how"], rated["because"]) == ("increment", "the exchange rates changed")
    rows = studio.ok("sql", "select currency, rate from fx_rate order by 1", "--format", "csv").out
    assert rows.split() == ["currency,rate", "eur,1.100000000000", "usd,1.000000000000"]

    incremental = studio.hashes()
    again = studio.build("--as-of", "2026-03-06", "--full-refresh")
    assert (again["how"], again["because"]) == ("full refresh", "it was asked for")
    assert studio.hashes() == incremental


@pytest.mark.slow
def test_a_changed_catalog_or_policy_makes_a_full_refresh_and_says_so(studio: Studio) -> None:
    """An increment would leave old rows in their old category, or worth."""
    studio.land("a", [event("a", 0, "poked", personId="ada")])
    studio.build("--as-of", "2026-03-05")
    catalog = studio.folder / "definitions" / "events.yml"
    catalog.write_text(catalog.read_text() + "  poked: {category: referral, is_action: false}\n")
    assert studio.build("--as-of", "2026-03-05")["because"] == "the event catalog changed"
    rows = studio.ok("sql", "select category, is_action from event", "--format", "json").json
    assert rows == [{"category": "referral", "is_action": False}]
    (studio.folder / "definitions" / "revenue_policy.yml").write_text("default: stripe\n")
    assert studio.build("--as-of", "2026-03-05")["because"] == "the revenue policies changed"
    rows = studio.ok("sql", "select policy from revenue_policy where is_default", "--format", "json").json
    assert rows == [{"policy": "stripe"}]


@pytest.mark.slow
def test_a_failing_data_test_publishes_nothing(
    own_sample: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Readers keep the generation they had; the message names the test; the next build goes on from that generation."""
    studio = own_sample
    before = studio.home.current.readlink(), studio.hashes()

    broken = tmp_path / "dbt_project"
    shutil.copytree(pipeline.origin.DBT_PROJECT, broken, ignore=shutil.ignore_patterns("target", "logs"))
    (broken / "tests").mkdir(exist_ok=True)
    (broken / "tests" / "assert_the_moon_is_full.sql").write_text(
        "select person_key from {{ ref('event') }} where event_type = '=1+1'\n"
    )
    with monkeypatch.context() as patched:
        patched.setattr(pipeline.origin, "DBT_PROJECT", broken)
        answer = studio.gdp("build", "--as-of", "2026-07-01")
    assert answer.code == 1
    assert answer.err.startswith("gdp: not published: assert_the_moon_is_full: Got 1 result")
    assert answer.err.count("\n") == 1
    assert (studio.home.current.readlink(), studio.hashes()) == before
    assert not (studio.home.build / "landing").exists()
    assert studio.build("--as-of", "2026-06-30")["how"] == "slice"


@pytest.mark.slow
def test_a_test_that_warns_is_named_and_publishes(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Severity warn: the tables are published, and the report says what was found."""
    warning = tmp_path / "dbt_project"
    shutil.copytree(pipeline.origin.DBT_PROJECT, warning, ignore=shutil.ignore_patterns("target", "logs"))
    (warning / "tests" / "assert_the_moon_is_full.sql").write_text(
        "{{ config(severity='warn') }}\nselect person_key from {{ ref('event') }}\n"
    )
    monkeypatch.setattr(pipeline.origin, "DBT_PROJECT", warning)
    studio.land("a", [event("a", 0, personId="ada")])
    assert studio.build("--as-of", "2026-03-05")["warnings"] == {"assert_the_moon_is_full": 1}


def test_a_report_names_the_tests_that_warn() -> None:
    """For a person as for a program; a test that warns has not passed."""
    nodes = [("model.gdp.event", "success", None), ("test.gdp.good.1", "pass", 0), ("test.gdp.odd.2", "warn", 1200)]
    outcome = DbtOutcome(
        success=True, nodes=tuple(NodeResult(node, status, 0, rows, None) for node, status, rows in nodes)
    )
    plan = Plan("000001", START, None, "it was asked for", (), (), (), "", {})
    report = _report(plan, Path("x"), outcome, 1)
    assert (report.models_built, report.tests_passed, report.to_json()["warnings"]) == (1, 1, {"odd": 1200})
    assert report.lines()[-1] == "1 test warns: odd (1,200 rows)"


def test_a_forgotten_landing_is_seen_by_the_next_plan(own_sample: Studio) -> None:
    """Landed rows that were taken away make a full refresh."""
    project = find_project(own_sample.folder)
    definitions = project.definitions()
    assert plan_build(project, definitions, as_of=START).full_refresh_because is None
    own_sample.ok("landing", "forget", "1", "--yes")
    plan = plan_build(project, definitions, as_of=START)
    assert plan.full_refresh_because == "landed rows were taken away or rewritten"


@pytest.mark.slow
def test_a_forgotten_landing_leaves_no_trace_in_the_tables(studio: Studio, tmp_path: Path) -> None:
    """The next build is a full refresh, says why, and equals that of a home which never had the landing."""
    other = Studio.make(tmp_path / "other")
    right = [event("a", 0, personId="ada"), event("b", 1, "signup_completed", personId="bob")]
    for each in (studio, other):
        each.land("right", right)
    studio.land("wrong", [event("c", 2, personId="ada", email="bob@example.org"), event("d", 3, personId="bob")])
    studio.build("--as-of", "2026-03-06")
    listed = studio.ok("landing", "list", "--format", "json").json
    assert [(one["landing"], one["landed"], one["batches"], one["state"]) for one in listed] == [
        (1, 2, [1], "built"),
        (2, 2, [2], "built"),
    ]
    assert studio.ok("landing", "forget", "2", "--yes", "--format", "json").json == {
        "forgotten": [2],
        "rows": 2,
        "quarantined": 0,
        "land_again": [],
    }
    report = studio.build("--as-of", "2026-03-06")
    assert (report["how"], report["because"]) == ("full refresh", "landed rows were taken away or rewritten")
    other.build("--as-of", "2026-03-06")
    assert studio.hashes() == other.hashes()


def test_forgetting_asks_first_and_waits_for_no_build(studio: Studio) -> None:
    """Where nobody can be asked it wants --yes; a build that runs reads the files."""
    studio.land("a", [event("a", 0, personId="ada")])
    unasked = studio.gdp("landing", "forget", "1")
    assert (unasked.code, unasked.err) == (2, "gdp: nobody is there to be asked: add --yes to forget them\n")
    with exclusive(studio.home.locks / "build", "a build"):
        busy = studio.gdp("landing", "forget", "1", "--yes")
    assert (busy.code, "a build is running" in busy.err) == (75, True)
    assert studio.ok("landing", "list", "--format", "json").json[0]["state"] == "waiting"
    assert "forgot landing 1" in studio.ok("landing", "forget", "1", "--yes").out
    assert studio.gdp("landing", "forget", "1", "--yes").code == 2
    assert studio.ok("landing", "list", "--format", "json").json[0]["state"] == "forgotten"


class Terminal(io.StringIO):
    """Where somebody types."""

    def isatty(self) -> bool:
        """Somebody is there."""
        return True


def test_forgetting_shows_what_it_asks_about_beside_the_question(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard output holds what was forgotten alone, as JSON that can be read."""
    studio.land("a", [event("a", 0, personId="ada")])
    monkeypatch.setenv("COLUMNS", "200")
    for answer, code in (("n", 130), ("y", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
        asked = studio.gdp("landing", "forget", "1", "--format", "json")
        assert (asked.code, "a.jsonl" in asked.err, "a.jsonl" in asked.out) == (code, True, False)
    assert asked.json["forgotten"] == [1]


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_landing_file_is_refused_before_it_is_read(studio: Studio, damage: str) -> None:
    """A flipped bit in Parquet may read as other rows without any error; the manifest knows better."""
    studio.land("a", [event("a", 0, personId="ada")])
    (file,) = (studio.home.landing / "event").iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(data if damage == "flip" else data[:-9])
    answer = studio.gdp("build")
    assert answer.code == 1
    assert answer.err.startswith(f"gdp: landing file {file} is ")
    assert answer.err.count("\n") == 1
    assert not studio.home.current.exists()
    assert "landing file" in studio.ok("status", "--format", "json").json["last_failure"]


def test_dbt_without_its_parent_does_nothing() -> None:
    """An orphan must not write into the next build's file, whoever has adopted it."""
    done = subprocess.run(
        [sys.executable, "-m", "warehouse.dbt_child", "999999999", "build"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "process 999999999, which started this, is gone" in done.stderr


def test_a_second_build_is_turned_away_with_the_holders_name(studio: Studio) -> None:
    """Exit code 75 says: try again later."""
    with exclusive(studio.home.ensure().locks / "build", "a build", wait=0):
        answer = studio.gdp("build")
    assert answer.code == 75
    assert "a build" in answer.err
    assert "pid" in answer.err


@pytest.mark.slow
def test_old_generations_go_and_three_stay(own_sample: Studio) -> None:
    """A reader of the last builds is safe, the disk is too; a build that moves only as_of runs no dbt."""
    studio = own_sample
    for day in range(5, 9):
        report = studio.build("--as-of", f"2026-06-{day:02d}")
        assert (report["how"], report["rows_landed_since"], report["models_built"]) == ("slice", 0, 0)
    names = sorted(path.name for path in studio.home.warehouse_dir.iterdir())
    assert names == ["000003.duckdb", "000004.duckdb", "000005.duckdb"]
    assert studio.home.current.resolve().name == "000005.duckdb"
    assert studio.home.current.resolve().stat().st_mode & 0o777 == 0o444


@pytest.mark.slow
def test_nothing_landed_still_builds(studio: Studio) -> None:
    """Empty tables are tables; the reports answer with nothing instead of an error."""
    studio.build("--as-of", "2026-03-05")
    assert studio.ok("sql", "select count(*) as n from person", "--format", "json").json == [{"n": 0}]
