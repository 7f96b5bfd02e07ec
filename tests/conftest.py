"""What all tests share: a clean environment, the same random data on every machine, and one built project."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.pipeline.projects import Studio
from warehouse.home import Home
from warehouse.locks import exclusive

SAMPLE = Path(__file__).parent.parent / "data" / "sample" / "events.jsonl"
#: Written beside a built project: what its build said.
BUILD_REPORT = "build.json"

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the settings they make themselves."""
    _clear_settings(monkeypatch)


def _clear_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GDP_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home").ensure()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Studio:
    """The sample and one odd event, built as of 1 July 2026: once for all workers, for reading only."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    folder = shared / "sample"
    with exclusive(shared / "sample.lock", "a worker that builds the sample", wait=600):
        if not (folder / BUILD_REPORT).exists():
            with pytest.MonkeyPatch.context() as monkeypatch:
                _clear_settings(monkeypatch)
                _build_sample(folder)
    return Studio(folder)


def _build_sample(folder: Path) -> None:
    studio = Studio.make(folder)
    studio.ok("ingest", "events", SAMPLE)
    odd = {"eventId": "odd", "personId": "=1+1", "timestamp": "2026-06-01T10:00:00Z", "eventType": "=1+1"}
    studio.land("odd", [odd])
    report = studio.build("--as-of", "2026-07-01")
    (folder / BUILD_REPORT).write_text(json.dumps(report))


@pytest.fixture
def own_sample(sample: Studio, tmp_path: Path) -> Studio:
    """A copy of the built sample that a test may change."""
    return sample.copy(tmp_path / "sample")
