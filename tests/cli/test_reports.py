"""The reports as commands: what they print, in which format, and what they say when a question cannot be asked."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from cli.app import run
from tests.analytics.builders import TinyWarehouse, event, journey, stay
from warehouse.home import Home

ROOT = Path(__file__).parents[2]
FUNNEL = ("funnel", "visit", "signup_completed", "render")
COHORT = ("cohort", "--interval", "month")
CHURN = ("churn", "users")
OVERLAP = ("overlap", "power", "paying")
REPORTS = (FUNNEL, COHORT, CHURN, OVERLAP)


@pytest.fixture(scope="module")
def three_people(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with three people, seen as of the first of July 2026."""
    home = Home(tmp_path_factory.mktemp("three_people") / "home").ensure()
    events = [
        event("ada", "visit", "d0", utm_source="google", properties={"my-plan": "pro", "plan": None}),
        *journey("ada", signup_completed="d1", render=("d2", "d100", "d170")),
        event("bob", "visit", "d3", utm_source="=cmd|' /C calc'!A0"),
        *journey("bob", signup_completed="d4", render="d130"),
        event("cy", "visit", "d5", utm_source="evil\x1b[31m\u202etext"),
    ]
    stays = [stay("power", "ada", "d2"), stay("paying", "ada", "d3"), stay("paying", "bob", "d4")]
    warehouse = TinyWarehouse(events, stays=stays, segments=("power", "paying", "empty"))
    warehouse.publish(home)
    warehouse.close()
    return home


@pytest.fixture
def published(three_people: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Their home, for reading only, asked from an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return three_people


class Answer:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.fixture
def gdp(published: Home, capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Run one command in this process."""

    def command(*arguments: str, home: Home = published) -> Answer:
        code = run(["--home", str(home.root), *arguments])
        found = capfdbinary.readouterr()
        return Answer(code, found.out.decode(), found.err.decode())

    return command


def test_funnel_prints_the_documented_json(gdp: Any) -> None:
    """Stages with counts and rates, conversionRate, dropoffStage, and bySource for a source."""
    found = gdp(*FUNNEL, "--by", "utm_source", "--window", "200d", "--format", "json").json
    assert [(stage["name"], stage["count"]) for stage in found["stages"]] == [
        ("visit", 3),
        ("signup_completed", 2),
        ("render", 2),
    ]
    assert (found["conversionRate"], found["dropoffStage"], found["window"]) == (2 / 3, 1, "200d")
    assert found["bySource"]["google"]["stages"][2]["count"] == 1
    assert "breakdown" not in found


def test_cohort_prints_the_documented_json(gdp: Any) -> None:
    """A row per cohort with its metrics as rates, and cells."""
    found = gdp(*COHORT, "--metrics", "retention_d1, retention_d30", "--format", "json").json
    assert found["cohorts"][0]["cohort"] == "2026-01-01"
    assert found["cohorts"][0]["retention_d1"] == 0.5
    assert set(found["cohorts"][0]["cells"][0]) == {"period", "n", "rate", "complete", "low", "high", "mature"}
    assert (found["kind"], found["interval"], found["period"]) == ("on", "month", "calendar")


def test_a_property_may_have_any_name(gdp: Any) -> None:
    """A dash needs no quoting."""
    found = gdp(*FUNNEL, "--by", "properties.my-plan", "--format", "json").json["breakdown"]
    assert {value: part["stages"][0]["count"] for value, part in found.items()} == {"pro": 1, "missing": 2}


def test_churn_users_prints_the_documented_json(gdp: Any) -> None:
    """Bob rendered before the window and not in it; Ada did both."""
    found = gdp(*CHURN, "--window", "30d", "--min-activity-before", "60d", "--format", "json").json
    assert (found["count"], found["activeBefore"]) == (1, 2)
    assert [user["email"] for user in found["users"]] == ["bob@example.org"]


def test_overlap_prints_the_documented_json(gdp: Any) -> None:
    """One of three persons is in both."""
    found = gdp(*OVERLAP, "--format", "json").json
    assert (found["count"], found["percentage"], found["ofEach"]) == (1, 1 / 3, {"power": 1.0, "paying": 0.5})


def test_days_are_those_of_the_zone(gdp: Any) -> None:
    """A bare date begins at midnight in --tz: Ada's visit at 00:00 UTC is 09:00 of the same day in Tokyo."""
    count = {
        (zone, day): gdp(*FUNNEL, "--tz", zone, "--from", day, "--to", "2026-01-03", "--format", "json").json["stages"][
            0
        ]["count"]
        for zone in ("UTC", "Asia/Tokyo", "America/New_York")
        for day in ("2026-01-01",)
    }
    assert list(count.values()) == [1, 1, 0]


@pytest.mark.parametrize("report", REPORTS)
def test_every_format(gdp: Any, report: tuple[str, ...], tmp_path: Path) -> None:
    """JSON, CSV and Parquet hold the same rows; the table fits 80 columns."""
    screen = gdp(*report)
    assert (screen.code, screen.err) == (0, "")
    assert max(len(line) for line in screen.out.splitlines()) <= 80
    assert json.loads(gdp(*report, "--format", "json").out)
    rows = list(csv.DictReader(io.StringIO(gdp(*report, "--format", "csv").out)))
    target = tmp_path / "rows.parquet"
    assert gdp(*report, "--format", "parquet", "--output", str(target)).out == ""
    table = pq.read_table(target)
    assert table.column_names == list(rows[0])
    assert table.num_rows == len(rows)


@pytest.mark.parametrize("report", REPORTS)
def test_the_sql_and_its_steps(gdp: Any, report: tuple[str, ...], published: Home) -> None:
    """--sql prints a statement that runs as it is; --steps counts the rows of each of its steps."""
    text = gdp(*report, "--sql").out
    counts = gdp(*report, "--steps", "--format", "json").json["steps"]
    with duckdb.connect(str(published.current.resolve()), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        assert len(connection.execute(text).fetchall()) == counts[-1]["rows"]
    assert "$" not in text


def test_a_file_is_replaced_whole(gdp: Any, tmp_path: Path) -> None:
    """The output may exist; nothing is left beside it."""
    target = tmp_path / "out.json"
    target.write_text("old")
    assert gdp(*OVERLAP, "--format", "json", "-o", str(target)).out == ""
    assert json.loads(target.read_text())["count"] == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.json"]


def test_a_csv_cell_is_never_a_formula(gdp: Any) -> None:
    """What a spreadsheet would run gets a ' in front; numbers are left alone."""
    rows = list(csv.DictReader(io.StringIO(gdp(*FUNNEL, "--by", "utm_source", "--format", "csv").out)))
    assert {row["value"] for row in rows if row["breakdown"]} == {
        "google",
        "'=cmd|' /C calc'!A0",
        "evil\x1b[31m\u202etext",
    }


def test_a_terminal_is_shown_no_control_characters(gdp: Any) -> None:
    """What a terminal would obey is written out."""
    screen = gdp(*FUNNEL, "--by", "utm_source").out
    assert "\x1b" not in screen
    assert "\u202e" not in screen
    assert "evil\\x1b[31m\\u202etext" in screen


@pytest.mark.parametrize("width", ["1", "20", "40", "500"])
@pytest.mark.parametrize("report", REPORTS)
def test_any_width(gdp: Any, report: tuple[str, ...], width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow the terminal, a report is shown and no line is longer."""
    monkeypatch.setenv("COLUMNS", width)
    screen = gdp(*report)
    assert screen.code == 0
    assert max(len(line) for line in screen.out.splitlines()) <= int(width)


WRONG: tuple[tuple[tuple[str, ...], str], ...] = (
    ((*FUNNEL, "--from", "2026-02-01", "--to", "2026-01-01"), "the range is empty"),
    ((*FUNNEL, "--from", "2026-08-01"), "is after the report's now, 2026-07-01T00:00:00+00:00"),
    ((*COHORT, "--from", "2026-03-01", "--as-of", "2026-02-01"), "is after the report's now, 2026-02-01"),
    ((*FUNNEL, "--from", "soon"), "--from 'soon' is not a date like 2026-01-31"),
    ((*FUNNEL, "--to", "1700000000"), "--to '1700000000' is not a date"),
    ((*FUNNEL, "--to", "10000-01-01"), "--to '10000-01-01' is not a date"),
    ((*FUNNEL, "--to", "1999-01-01"), "--to '1999-01-01' lies outside 2000-01-01"),
    ((*FUNNEL, "--as-of", "2026-02-30"), "--as-of '2026-02-30' is not a date"),
    ((*FUNNEL, "--as-of", "2030-01-01"), "is after the build's"),
    ((*FUNNEL, "--window", "7x"), "'7x' is not a length of time"),
    ((*FUNNEL, "--window", "-1d"), "'-1d' is not a length of time"),
    ((*FUNNEL, "--window", "0d"), "'0d' is not a length of time"),
    ((*FUNNEL, "--window", "1000000000d"), "is not a length of time"),
    ((*FUNNEL, "--window"), "--window"),
    ((*FUNNEL, "--limit", "5"), "--limit"),
    (("funnel", "visit", "sign_up"), "unknown event type 'sign_up' (known: render, signup_completed, visit)"),
    (("funnel", "visit", "'; drop table event; --"), "unknown event type"),
    (("funnel", "visit"), "a funnel has 2 to 20 stages; given: 1"),
    (("funnel", *["visit"] * 101), "given: 101"),
    (("funnel", "--", "-visit", "visit"), "unknown event type '-visit'"),
    (("funnel", "-visit", "visit"), "option"),
    ((*FUNNEL, "--by", "source; drop table event"), "cannot break down by"),
    ((*FUNNEL, "--by", "(select 1)"), "cannot break down by"),
    ((*FUNNEL, "--tz", "Berlin"), "--tz: 'Berlin' is not an IANA time zone"),
    ((*FUNNEL, "--format", "xml"), "xml"),
    ((*FUNNEL, "--format", "parquet"), "--format parquet needs a file: --output FILE"),
    ((*FUNNEL, "--sql", "--steps"), "not both"),
    ((*FUNNEL, "--sql", "--format", "json"), "give --sql or --format json, not both"),
    ((*FUNNEL, "--window", "30D"), "'30D' is not a length of time (did you mean '30d'?)"),
    ((*FUNNEL, "--by", "properties.nope"), "no event visit has a property 'nope' (known: my-plan, plan)"),
    ((*FUNNEL, "--by", "properties.pan"), "no event visit has a property 'pan' (did you mean 'plan'"),
    ((*FUNNEL, "--by", "properties."), "a property needs a name"),
    ((*COHORT, "--start-event", "visit", "--by", "signup"), "--start-event already says where a person starts"),
    (("cohort", "--metrics", "retention_7"), "unknown metric 'retention_7' (did you mean 'retention_d7'"),
    (("cohort", "--by", "channel; select 1"), "--by"),
    (("cohort", "--interval", "year"), "--interval"),
    (("cohort", "--metrics", "ltf"), "did you mean 'ltv'?"),
    (("cohort", "--metrics", "retention_d1;select 1"), "unknown metric"),
    (("cohort", "--periods", "-1"), "periods"),
    (("cohort", "--periods", "1000000000"), "periods"),
    (("cohort", "--start-event", "vist"), "unknown start event 'vist' (did you mean 'visit'?)"),
    (("churn", "users", "--window", "0d"), "'0d' is not a length of time"),
    (("churn", "people"), "people"),
    (("overlap", "power"), "an overlap has 2 to 20 segments; given: 1"),
    (("overlap", "power", "pover"), "unknown segment 'pover' (did you mean 'power'?)"),
    (("overlap", "power", "power"), "given twice"),
    (("overlap", *[f"s{number}" for number in range(101)]), "given: 101"),
)


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_a_wrong_question_is_one_line_and_exit_code_2(gdp: Any, arguments: tuple[str, ...], message: str) -> None:
    """Nothing on standard output; what was given and what would be accepted on standard error."""
    answer = gdp(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        (".", 2, "is a folder"),
        ("none/x.json", 2, "there is no folder"),
        ("file/x.json", 2, "Not a directory"),
        ("x" * 300, 2, "File name too long"),
        ("/dev/full", 1, "No space left on device"),
    ],
)
def test_an_output_that_cannot_be_written(
    gdp: Any, target: str, code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, no traceback, nothing left behind."""
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    answer = gdp(*OVERLAP, "--format", "json", "--output", target)
    assert (answer.code, answer.out) == (code, "")
    assert message in answer.err
    assert len(answer.err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_no_warehouse_and_an_empty_one(gdp: Any, published: Home, tmp_path: Path) -> None:
    """Before the first build there is one line that says what to do; a damaged file is not a traceback either."""
    own = Home(shutil.copytree(published.root, tmp_path / "own", symlinks=True))
    own.current.unlink()
    assert "run gdp build" in gdp(*FUNNEL, home=own).err
    empty = own.warehouse_dir / "0000000002.duckdb"
    empty.write_bytes(b"")
    own.current.symlink_to(empty.relative_to(own.root))
    answer = gdp(*FUNNEL, home=own)
    assert (answer.code, len(answer.err.splitlines())) == (1, 1)
    assert "run gdp build" in answer.err


def shell(home: Home, command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run one command line as its users do."""
    given = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "GDP_HOME": str(home.root),
        **environment,
    }
    line = command.replace("gdp", f"{sys.executable} -m cli.app")
    return subprocess.run(["bash", "-c", line], capture_output=True, env=given, check=False)


def test_surroundings_that_are_not_friendly(published: Home) -> None:
    """A closed pipe, a full disk, no locale, no colour, arguments that are not UTF-8: never a traceback."""
    closed = shell(published, "gdp funnel visit render | head -c 0; exit ${PIPESTATUS[0]}")
    assert closed.returncode in (0, 141)
    assert closed.stderr == b""
    full = shell(published, "gdp funnel visit render --format json > /dev/full")
    assert (full.returncode, full.stderr.count(b"\n")) == (1, 1)
    assert b"No space left on device" in full.stderr
    funnel = "gdp funnel visit render --by utm_source"
    plain = shell(published, funnel, LC_ALL="C", PYTHONUTF8="0", NO_COLOR="1", TERM="dumb")
    assert (plain.returncode, plain.stderr) == (0, b"")
    ascii_only = shell(published, funnel, PYTHONIOENCODING="ascii")
    assert (ascii_only.returncode, ascii_only.stderr) == (0, b"")
    not_utf8 = shell(published, "gdp funnel visit $'\\xff'")
    assert (not_utf8.returncode, not_utf8.stderr.count(b"\n")) == (2, 1)


def test_the_commands_load_nothing_heavy() -> None:
    """What only some commands need is imported by them."""
    heavy = ("duckdb", "pyarrow", "rich.table", "analytics.funnel", "pydantic_settings")
    probe = f"import sys, cli.reports, cli.billing; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == b"[]"
