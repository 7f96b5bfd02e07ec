"""Landing through a project: its home, and the threads and memory that its settings allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.options import LandOptions
from ingest.parts import Engine
from pipeline.intake import land, replay_rows
from pipeline.project import find_project
from tests.ingest.landings import NOW, event, jsonl


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """What every database of an ingest was opened with."""
    import ingest.landfile
    import ingest.replay

    seen: list[Engine] = []
    for module in (ingest.landfile, ingest.replay):
        inner = module.connected
        monkeypatch.setattr(
            module, "connected", lambda room, engine, inner=inner: seen.append(engine) or inner(room, engine)
        )
    return seen


def test_landing_and_replay_take_what_the_settings_allow(tmp_path: Path, engines: list[Engine]) -> None:
    """Threads and memory are those of gdp.toml, in the home that it names."""
    (tmp_path / "gdp.toml").write_text("home = 'kept'\nthreads = 1\nmemory_limit = '300MB'\n")
    (tmp_path / "a.jsonl").write_bytes(jsonl(event(), "nope"))
    project = find_project(tmp_path)
    assert land(project, [str(tmp_path / "a.jsonl")], LandOptions(), now=NOW).landed == 1
    assert replay_rows(project, [], LandOptions(), now=NOW).still_refused.keys() == {"1-1"}
    assert engines == [Engine(1, "300MB"), Engine(1, "300MB")]
    assert (tmp_path / "kept" / "control.sqlite").exists()
