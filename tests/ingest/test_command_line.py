"""gdp ingest and gdp quarantine as somebody types them: rows on standard output, one line for what is wrong."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.app import run
from tests.ingest.landings import csv, event, jsonl


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def gdp(*arguments: object) -> Answer:
    """Run a command in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*map(str, arguments)])
    return Answer(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


def test_landing_quarantine_and_replay_in_one_go(folder: Path) -> None:
    """The way of a row that was wrong."""
    soon = "2026-01-30T12:00:00Z"
    (folder / "a.jsonl").write_bytes(jsonl(event(timestamp=soon), event(eventId="\u001b[31m", timestamp="soon")))
    landed = gdp("ingest", "events", "a.jsonl")
    assert (landed.code, landed.err) == (0, "")
    assert landed.out.splitlines()[-1] == "in quarantine:  bad_time 1 (gdp quarantine list)"
    listed = json.loads(gdp("quarantine", "list", "--format", "json").out)
    assert [(one["reason"], one["refused"], one["waiting"]) for one in listed] == [("bad_time", 1, 1)]
    shown = gdp("quarantine", "show")
    assert shown.out.startswith("1-1  bad_time  row 2 of a.jsonl: occurred_at 'soon'")
    assert "\x1b" not in shown.out
    rows = json.loads(gdp("quarantine", "show", "1-1", "--format", "json").out)
    rows[0]["raw"] = rows[0]["raw"].replace('"soon"', f'"{soon}"')
    (folder / "fixed.json").write_text(json.dumps(rows))
    assert gdp("quarantine", "replay").out.startswith("1 rows tried: 0 landed, 0 were there already, 1 still refused")
    replayed = gdp("quarantine", "replay", "--edit", "fixed.json", "--format", "json")
    assert json.loads(replayed.out) == {"rows_in": 1, "landed": 1, "duplicate": 0, "quarantined": 0, "refused": []}
    assert gdp("quarantine", "show").out == ""
    assert gdp("quarantine", "show", "1").out.startswith("1-1  bad_time [landed]")


def test_what_a_file_leaves_in_quarantine_fits_the_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many reasons go on below."""
    monkeypatch.setenv("COLUMNS", "80")
    odd = (
        event(timestamp="soon"),
        event(eventId=""),
        event(properties=[]),
        event(eventType=7),
        event(personId="x" * 300),
    )
    (folder / "a.jsonl").write_bytes(jsonl(*odd, "{", event(timestamp="1999-01-01T00:00:00Z")))
    shown = gdp("ingest", "events", "a.jsonl").out.splitlines()
    said = next(number for number, line in enumerate(shown) if line.startswith("in quarantine:"))
    assert len(shown) > said + 1
    assert max(map(len, shown)) <= 80


def test_a_plain_csv_takes_one_command_and_says_how_times_were_read(folder: Path) -> None:
    """Table and JSON say the same."""
    (folder / "log.csv").write_bytes(csv(["user", "event", "time"], ["ada", "x", "2026-01-30 12:00"]))
    table = gdp("ingest", "events", "log.csv", "--tz", "Europe/Berlin")
    assert (table.code, table.out.splitlines()[1].split()) == (0, ["log.csv", "1", "1", "0", "0"])
    assert table.out.splitlines()[2] == "times without a zone were read as Europe/Berlin"
    again = json.loads(gdp("ingest", "events", "log.csv", "--tz", "Europe/Berlin", "--format", "json").out)
    assert (again["rows_in"], again["duplicate"], list(again)) == (
        *(1, 1),
        ["rows_in", "landed", "duplicate", "quarantined", "files"],
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ingest", "events"], 2, "Missing argument"),
        (["ingest", "events", "none.jsonl"], 2, "none.jsonl: no such file or folder"),
        (["ingest", "events", "*.none"], 2, "*.none: no file matches"),
        (["ingest", "events", "a.csv"], 2, "a.csv: no column for event_type: give --map event_type=COLUMN"),
        (["ingest", "events", "a.parquet"], 1, "a.parquet: not a Parquet file"),
        (["ingest", "events", "a.csv", "--tz", "Berlin"], 2, "--tz: 'Berlin' is not an IANA time zone"),
        (["ingest", "events", "a.csv", "--map", "x"], 2, "x: no such file"),
        (["ingest", "events", "a.csv", "--source", "fax"], 2, "'app'"),
        (["quarantine", "show", "1-1"], 2, "no batch 1 in quarantine"),
        (["quarantine", "show", "--", "-1"], 2, "'-1' is no id of a row"),
        (["quarantine", "replay", "--edit", "none"], 2, "none: cannot be read: No such file or directory"),
    ],
)
def test_what_is_wrong_is_one_line(folder: Path, arguments: list[str], code: int, message: str) -> None:
    """Exit code 2 for what was asked, 1 for what could not be done."""
    gdp("init")
    (folder / "a.csv").write_bytes(b"a,b\n1,2\n")
    (folder / "a.parquet").write_bytes(b"nonsense")
    answer = gdp(*arguments)
    assert (answer.code, answer.err.count("\n")) == (code, 1), answer
    assert message in answer.err
    assert "Traceback" not in answer.err


def test_json_stays_json_when_a_file_is_broken(folder: Path) -> None:
    """The error stands in the file's entry and on standard error."""
    (folder / "a.parquet").write_bytes(b"nonsense")
    (folder / "b.jsonl").write_bytes(jsonl(event()))
    answer = gdp("ingest", "events", "a.parquet", "b.jsonl", "--format", "json")
    files = {file["path"]: (file["landed"], file.get("error")) for file in json.loads(answer.out)["files"]}
    assert (answer.code, files) == (1, {"a.parquet": (0, "not a Parquet file"), "b.jsonl": (1, None)})
    assert answer.err == "gdp: a.parquet: not a Parquet file\n"


def test_nothing_in_quarantine(folder: Path) -> None:
    """Said in words, or as an empty list."""
    gdp("init")
    assert gdp("quarantine", "list").out == "nothing is in quarantine\n"
    assert json.loads(gdp("quarantine", "list", "--format", "json").out) == []
    assert gdp("quarantine", "replay").out.startswith("0 rows tried")
