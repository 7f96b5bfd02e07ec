"""What all tests share: a clean environment, the same random data on every machine, and one built project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.dbthere import keep_parse_in, run_dbt_here
from tests.pipeline.projects import Studio
from warehouse.dbt import run_dbt
from warehouse.home import Home
from warehouse.locks import exclusive

SAMPLE = Path(__file__).parent.parent / "data" / "sample"
#: How each folder of the sample lands.
WRITERS = {"app": "events", "segment": "segment", "stripe": "stripe", "meta": "meta"}
#: Written beside a built project: what landing the application's events of the sample and building it said.
INGEST_REPORT, BUILD_REPORT = "ingest.json", "build.json"
#: Beside them, what adding a cut to the rules said after the build.
IDENTITY_RULE = "identity_rule.json"

#: What programs write where they know nobody: identifiers that join nobody with anybody.
JUNK_IDENTIFIERS: tuple[dict[str, str], ...] = (
    *({"email": value} for value in ("n/a", "test@", "@example.com", "null", "undefined", "0", "a b@example.com")),
    *({"deviceId": value} for value in ("unknown", "Undefined", "0000-0000", "-1", "[object Object]")),
)
#: Landed with the sample: a type and a person that a spreadsheet takes for formulas, strangers who share junk,
#: a device of two users and an address of eleven.
ODD_EVENTS = (
    {"eventId": "odd", "personId": "=1+1", "timestamp": "2026-06-01T10:00:00Z", "eventType": "=1+1"},
    *(
        {
            "eventId": f"junk-{number}-{who}",
            "personId": f"stranger-{number}-{who}",
            "timestamp": "2026-06-01T10:00:00Z",
            "eventType": "page_viewed",
            **junk,
        }
        for number, junk in enumerate(JUNK_IDENTIFIERS)
        for who in ("a", "b")
    ),
    *(
        {"eventId": f"shared-{key}-{who}", "timestamp": "2026-06-01T10:00:00Z", "eventType": "page_viewed"}
        | {"personId": f"{key}-user-{who}", key: "shared@example.com"}
        for key, users in (("deviceId", 2), ("email", 11))
        for who in range(users)
    ),
)
#: Segments of the sample beside the starter's: every kind of rule.
SEGMENTS = (
    {
        "name": "Asked for others",
        "rules": [{"any": [{"cohortId": "active_creators"}, {"not": {"cohortId": "gone_quiet"}}]}],
    },
    {
        "name": "Gone quiet",
        "rules": [
            {"property": "lastActionDate", "operator": "lte", "value": "now - 30d"},
            {"not": {"property": "industry", "operator": "in", "value": ["education", "games"]}},
        ],
    },
    {
        "name": "Long renders",
        "rules": [
            {
                "eventType": "video_rendered",
                "where": [{"property": "seconds", "operator": "gte", "value": 300}],
                "distinctDays": {"gte": 2},
                "eventWindow": "4w",
            }
        ],
    },
    {
        "name": "Quick starters",
        "rules": [
            {
                "within": "7d",
                "sequence": [
                    {"eventType": "signup_completed"},
                    {"eventType": "first_video_created"},
                    {"eventType": ["video_rendered", "batch_render_completed"]},
                ],
            }
        ],
    },
    {
        "name": "Ten renders",
        "rules": [{"eventType": "video_rendered", "eventCount": {"gte": 10}, "eventWindow": "30d"}],
    },
    {
        "name": "Ever rendered",
        "sql": "select person_key, min(occurred_at) as entered_at, null as exited_at from event"
        " where event_type = 'video_rendered' and properties not in ('{{ x }}', '{% y %}') group by person_key",
    },
    {
        "name": "Rendered and quiet",
        "rules": [{"cohortId": "ever_rendered"}, {"cohortId": "gone_quiet"}],
    },
    {"name": "Held out", "rules": [{"holdout": {"percent": 20, "salt": "spring"}}]},
    {
        "name": "Hand picked",
        "rules": [
            {
                "list": [
                    {"id": "user_id:user-1", "from": "2026-05-20"},
                    {"id": "user_id:user-0000145", "from": "2026-03-01"},
                ]
            }
        ],
    },
)

#: Modules whose tests read one costly build go to one worker, by what they share. (The mark ``xdist_group`` of
#: pytest-xdist 3.8 does nothing under pytest 9.2: it writes a name that is no longer read.)
BUILT_ONCE = {
    "tests/dbt/test_identity_commands.py": "scenarios",
    "tests/dbt/test_ledger.py": "ledger",
    "tests/dbt/test_revenue.py": "stripe",
    "tests/dbt/test_scenarios.py": "scenarios",
    "tests/dbt/test_stripe.py": "stripe",
    "tests/ingest/simulator/test_services.py": "world",
    "tests/ingest/simulator/test_simulate.py": "small world",
    "tests/ingest/simulator/test_truth.py": "world",
    "tests/pipeline/test_identity_preview.py": "preview",
    "tests/pipeline/test_stripe_reconciled.py": "reconciled",
    "tests/pipeline/test_stripe_truth.py": "stripe truth",
    "tests/pipeline/test_truth.py": "truth",
}

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


#: Temporary files of the default suite are in memory where so much of it is free.
MEMORY, MEMORY_BYTES = Path("/dev/shm"), 8 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Thousands of small files that are flushed and deleted, a disk takes as long for as the tests for all else.

    The slow suite makes large ones; they stay on the disk, as do those of a folder that somebody names.
    """
    # Workers, and what tests start, need not compile everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    is_named = config.option.basetemp or {"TMPDIR", "PYTEST_DEBUG_TEMPROOT"} & os.environ.keys()
    if is_named or "not slow" not in config.option.markexpr or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
        os.environ["TMPDIR"] = str(MEMORY)  # the workers inherit it
        tempfile.tempdir = None


class OnceBuilt(LoadScopeScheduling):
    """Hands out single tests, and those of ``BUILT_ONCE`` together."""

    def _split_scope(self, nodeid: str) -> str:
        return BUILT_ONCE.get(nodeid.partition("::")[0], nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OnceBuilt:
    """Called by pytest-xdist."""
    gone = [name for name in BUILT_ONCE if not (config.rootpath / name).is_file()]
    if gone:
        raise pytest.UsageError(f"BUILT_ONCE in tests/conftest.py names modules that are gone: {', '.join(gone)}")
    return OnceBuilt(config, log)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the settings they make themselves."""
    _clear_settings(monkeypatch)


def _clear_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GDP_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _dbt_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Builds run dbt in the process of the tests."""
    keep_parse_in(_shared(tmp_path_factory))
    with pytest.MonkeyPatch.context() as monkeypatch:
        for module in ("pipeline.build", "pipeline.trial"):
            monkeypatch.setattr(f"{module}.run_dbt", run_dbt_here)
        yield


@pytest.fixture(scope="session", autouse=True)
def _commands_read_once() -> Iterator[None]:
    """The signatures of all commands are read once, and not for each command that a test runs."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("typer.main.get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def dbt_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds run dbt in a process of its own, as they do for users."""
    for module in ("pipeline.build", "pipeline.trial"):
        monkeypatch.setattr(f"{module}.run_dbt", run_dbt)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home").ensure()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """All sources of the sample and some odd events, built as of its end: once for all workers, for reading only."""
    folder = _shared(tmp_path_factory) / "sample"
    make_sample(folder)
    return Studio(folder)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin with the sample, in a process of its own, where a test asks for it: workers need not wait for it then."""
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0" or session.config.option.collectonly:
        return
    if any("sample" in getattr(item, "fixturenames", ()) for item in session.items):
        folder = _shared(session.config._tmp_path_factory) / "sample"  # type: ignore[attr-defined]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.conftest", str(folder)],
            cwd=session.config.rootpath,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a worker that needs the sample makes it anew, and says what is wrong
        )
        session.config.add_cleanup(lambda: _end(process))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _shared(factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of all workers."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def make_sample(folder: Path) -> None:
    """Build the sample's project, unless another process has built it, or is about to."""
    with exclusive(folder.with_suffix(".lock"), "a process that builds the sample", wait=600):
        if (folder / BUILD_REPORT).exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        with pytest.MonkeyPatch.context() as monkeypatch:
            _clear_settings(monkeypatch)
            _build_sample(folder)


def _build_sample(folder: Path) -> None:
    studio = Studio.make(folder)
    shutil.copy(SAMPLE.parent / "fx.csv", studio.folder / "definitions")
    said = {
        kind: studio.ok("ingest", writer, SAMPLE / kind, "--format", "json").out for kind, writer in WRITERS.items()
    }
    (folder / INGEST_REPORT).write_text(said["app"])
    studio.land("odd", ODD_EVENTS)
    (folder / "definitions" / "segments" / "language.json").write_text(json.dumps(SEGMENTS))
    report = studio.build("--as-of", "2026-07-01")
    rule = ("identity", "cut", "user_id:odd", "user_id:odder", "--reason", "two people", "--format", "json")
    (folder / IDENTITY_RULE).write_text(studio.ok(*rule).out)
    (folder / "definitions" / "identity.yml").unlink()
    (folder / BUILD_REPORT).write_text(json.dumps(report))


@pytest.fixture
def own_sample(sample: Studio, tmp_path: Path) -> Studio:
    """A copy of the built sample that a test may change."""
    return sample.copy(tmp_path / "sample")


if __name__ == "__main__":
    keep_parse_in(Path(sys.argv[1]).parent)
    make_sample(Path(sys.argv[1]))
