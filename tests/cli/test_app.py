"""The command line as a whole: errors are one line, exit codes are what they say, start-up is light."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.project import init_project
from tests.pipeline.projects import Studio

ROOT = Path(__file__).parent.parent.parent


def gdp(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli.app", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_the_command_line_loads_nothing_heavy() -> None:
    """Importing it brings in no database, no dbt, no charts: help must be there at once."""
    heavy = {"duckdb", "dbt", "pyarrow", "stripe", "pyspark", "fastapi", "altair", "pydantic_settings"}
    code = f"import sys, cli.app; print(sorted({heavy!r} & {{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["fnnel"], "No such command 'fnnel'"),
        (["--colour", "status"], "No such option: --colour"),
        (["build", "--as-of"], "requires an argument"),
        (["build", "--as-of", "yesterday"], "is not a date like 2026-01-31"),
        (["build", "--as-of", "2026-01-31T12:00:00"], "has no time zone"),
        (["build", "--as-of", "10000-01-01"], "is not a date"),
        (["build", "--as-of", "1900-01-01"], "lies outside 2000-01-01"),
        (["build", "--as-of", "1767225600"], "is not a date"),
        (["build", "--as-of", "2199-01-01"], "more than a day ahead"),
        (["build", "--wait", "-1"], "greater than or equal to 0"),
        (["ingest", "events", ""], "an argument is empty (after events)"),
        (["ingest", "events", "data/home"], "lies in the home of the warehouse"),
        (["--home", "", "status"], "an argument is empty (after --home)"),
        (["--home=", "status"], "--home= is empty: give it a value"),
        (["--home", ".", "status"], "home: name a folder of its own"),
        (["export", "--to", ""], "an argument is empty (after --to)"),
        (["export", "--to="], "--to= is empty"),
        (["export", "--to", "-"], "tables are written as files: name a folder"),
        (["sql", "select 1", "-o", ""], "an argument is empty (after -o)"),
        (["init", ""], "an argument is empty (after init)"),
        (["funnel", "a", "b", "--sql", "--format", "csv"], "give --sql or --format csv, not both"),
        (["--project", "nowhere", "status"], "nowhere: no gdp.toml there (gdp init nowhere makes one)"),
        (["schema", "Persn"], "there is no shape 'Persn' (did you mean 'Person'?)"),
        (["status", "--format", "xml"], "'table'"),
        (["export"], "--to"),
        (["sql"], "give a query"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    """What, where, and what would be accepted; nothing on standard output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    answer = Studio.gdp_alone(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert reason in answer.err
    assert answer.err.startswith("gdp: ")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("group", "commands"),
    [("churn", "users"), ("config", "show"), ("quarantine", "list, show, replay"), ("landing", "list, forget")],
)
def test_a_group_alone_prints_its_help_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str, commands: str
) -> None:
    """Exit code 2 with a reason."""
    monkeypatch.chdir(tmp_path)
    answer = Studio.gdp_alone(group)
    assert (answer.code, answer.err) == (2, f"gdp: gdp {group} needs a command: {commands}\n")
    assert f"Usage: gdp {group}" in answer.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["build"],
        ["prepare"],
        ["quarantine", "list"],
        ["quarantine", "replay"],
        ["landing", "list"],
        ["sql", "select 1"],
        ["funnel", "a", "b"],
    ],
)
@pytest.mark.parametrize("kind", ["nothing", "folder", "file"])
def test_only_init_and_ingest_make_a_home(tmp_path: Path, arguments: list[str], kind: str) -> None:
    """Whoever mistypes it must not be told that nothing has landed."""
    home = tmp_path / "home"
    if kind == "folder":
        home.mkdir()
    elif kind == "file":
        home.write_text("x")
    found = sorted(tmp_path.rglob("*"))
    answer = Studio(tmp_path).gdp_alone("--home", home, *arguments)
    reason = f"the home {home} is a file" if kind == "file" else f"no home at {home} (gdp init and gdp ingest make one)"
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"gdp: {reason}")
    assert sorted(tmp_path.rglob("*")) == found


def test_an_unknown_variable_of_ours_is_said_once(tmp_path: Path) -> None:
    """A misspelt GDP_HOME would otherwise build somewhere else."""
    (tmp_path / "home").mkdir()
    done = gdp("funnel", "a", "b", folder=tmp_path, GDP_HOMES="x", GDP_TZ="UTC")
    assert done.stderr.splitlines()[0] == (
        "gdp: warning: $GDP_HOMES is no setting and is not read (did you mean 'GDP_HOME'?)"
    )
    assert done.stderr.count("GDP_HOMES") == 1


def test_help_needs_no_project_and_no_terminal(tmp_path: Path) -> None:
    """Also with a narrow window and an ASCII locale."""
    done = gdp("--help", folder=tmp_path, COLUMNS="20", LC_ALL="C", PYTHONUTF8="0", NO_COLOR="1")
    assert done.returncode == 0
    assert "build" in done.stdout


def test_reports_before_the_first_build_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, because the request was right."""
    monkeypatch.chdir(tmp_path)
    assert Studio.gdp_alone("init", ".").code == 0
    answer = Studio.gdp_alone("funnel", "a", "b")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("gdp: no warehouse in ")
    assert answer.err.endswith("run gdp build\n")


def test_arguments_that_are_not_utf8_do_not_break_the_error(tmp_path: Path) -> None:
    """Bytes that no encoding explains are shown escaped."""
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"cli.app", b"schema", b"\xff\x1b[31m"],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    """`gdp schema | head -1` is no error to complain about."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.app", "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() in (0, 141)


@pytest.mark.parametrize(
    ("closed", "code", "says"),
    [
        ("sql <&-", 1, "gdp: standard input or output is closed\n"),
        ("segment create - <&-", 1, "gdp: standard input or output is closed\n"),
        ("schema >&-", 1, "gdp: standard output: Bad file descriptor\n"),
        ("--help >&-", 1, "gdp: standard input or output is closed\n"),
        ("schema 2>&- >/dev/null", 0, ""),
        ("nope 2>&-", 2, ""),
    ],
)
def test_a_closed_stream_is_one_line(tmp_path: Path, closed: str, code: int, says: str) -> None:
    """As under a scheduler that closes them: what cannot be read or told is an error, and no file gets its number."""
    init_project(tmp_path)
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m cli.app {closed}",
        shell=True,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, says)


def test_a_full_device_is_one_line(tmp_path: Path) -> None:
    """/dev/full refuses every write."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cli.app", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


def test_schema_is_json_schema_of_every_shape() -> None:
    """All of the product requirements' shapes are in it."""
    shapes = Studio.gdp_alone("schema").json["$defs"]
    assert {
        "Person",
        "IdentityLink",
        "UnifiedEvent",
        "Subscription",
        "SegmentDefinition",
        "SegmentRule",
        "SegmentMembership",
        "SegmentAutomation",
    } <= set(shapes)


def test_init_makes_a_project_that_status_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything has landed or been built."""
    monkeypatch.chdir(tmp_path)
    assert Studio.gdp_alone("init", "studio").code == 0
    again = Studio.gdp_alone("init", "studio")
    assert (again.code, "there is a project already" in again.err) == (2, True)
    monkeypatch.chdir(tmp_path / "studio" / "definitions")
    status = Studio.gdp_alone("status", "--format", "json")
    assert (status.code, status.json["built"]) == (0, None)


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        ("select 1; select 2", 2, "one statement"),
        (" ", 2, "give a query"),
        ("/* nothing */", 2, "one statement"),
        ("selekt 1", 2, "syntax error"),
        ("select * from nothing_here", 2, "does not exist"),
        ("drop table event", 2, "read-only"),
        ("with gone as (delete from event returning *) select * from gone", 2, "read-only"),
        ("copy (select 1) to '/tmp/x.csv'", 2, "disabled"),
        ("select * from read_csv('/etc/passwd')", 2, "disabled"),
        ("attach '/tmp/y.duckdb'", 2, "disabled"),
        ("set threads = 1", 2, "locked"),
        ("select * from glob('/*')", 2, "disabled"),
        ("select 'x'::integer", 1, "Could not convert"),
    ],
)
def test_sql_reaches_only_the_tables(sample: Studio, query: str, code: int, reason: str) -> None:
    """One statement, read-only, nothing outside; each refusal is one line."""
    answer = sample.gdp("sql", query)
    assert (answer.code, answer.out) == (code, "")
    assert reason in answer.err
    assert answer.err.count("\n") == 1


def test_sql_prints_a_list_of_objects(sample: Studio) -> None:
    """The JSON contract of gdp sql."""
    query = "select event_type, count(*) as n from event where event_type in ('=1+1', 'lead') group by all order by n"
    assert sample.ok("sql", query, "--format", "json").json == [
        {"event_type": "=1+1", "n": 1},
        {"event_type": "lead", "n": 5},
    ]


def test_export_writes_every_table_and_defuses_formulas(sample: Studio, tmp_path: Path) -> None:
    """CSV cells that a spreadsheet would run get an apostrophe; Parquet stays exact."""
    import pyarrow.parquet as pq

    sample.ok("export", "--to", tmp_path / "bi", "--format", "parquet")
    assert {"event.parquet", "person.parquet", "segment_membership.parquet"} <= {
        path.name for path in (tmp_path / "bi").iterdir()
    }
    assert "=1+1" in pq.read_table(tmp_path / "bi" / "event.parquet")["event_type"].to_pylist()
    sample.ok("export", "event", "--to", tmp_path / "csv", "--format", "csv")
    assert "'=1+1" in (tmp_path / "csv" / "event.csv").read_text()


def test_a_query_that_needs_too_much_memory_is_one_line(sample: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of the settings holds for what somebody types."""
    monkeypatch.setenv("GDP_MEMORY_LIMIT", "20MB")
    answer = sample.gdp("sql", "select list(a.range || b.range) from range(3000) as a, range(3000) as b")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        "gdp: the query needs more memory than memory_limit allows (20MB): narrow it, or raise the limit\n"
    )


def _heed_ctrl_c() -> None:
    """A test run in the background ignores Ctrl-C, and what it starts would, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _reads_a_warehouse(process: subprocess.Popen[bytes]) -> bool:
    with contextlib.suppress(FileNotFoundError):  # a file that is closed between the two looks
        return any(str(path.readlink()).endswith(".duckdb") for path in Path(f"/proc/{process.pid}/fd").iterdir())
    return False


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_ingest_says_so(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Whoever stops it; nothing is left behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.app", "--home", "home", "ingest", "events", "-"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,
    )
    with process:
        while not list(tmp_path.glob("home/staging/stdin-*")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.stdout is not None
        assert process.stderr is not None
        err, out = process.stderr.read(), process.stdout.read()
    assert (process.returncode, out, err.strip()) == (code, "", "gdp: stopped")
    assert list(tmp_path.glob("home/staging/*")) == []


def test_a_long_query_ends_at_ctrl_c(sample: Studio) -> None:
    """The database does not look at signals; we do."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "cli.app", "--project", str(sample.folder)),
            *("sql", "select count(*) from range(1000000000) as a, range(1000) as b"),
        ],
        cwd=ROOT,
        env={**os.environ, "GDP_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_heed_ctrl_c,
    )
    with process:
        while not _reads_a_warehouse(process):
            assert process.poll() is None
            time.sleep(0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"gdp: stopped\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["export", "evnt", "--to", "x"], "there is no table 'evnt' (did you mean 'event'?)"),
        (["export", "event", "--to", "/proc/nowhere"], "cannot be made"),
    ],
)
def test_export_names_what_is_wrong(sample: Studio, arguments: list[str], reason: str) -> None:
    """The nearest table, the folder that cannot be written."""
    answer = sample.gdp(*arguments)
    assert answer.code == 2
    assert reason in answer.err
