"""A world that several tests look at; nobody changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.simulator.worlds import world


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 persons and 300 days."""
    return world(tmp_path_factory.mktemp("worlds") / "world", 400, days=300)
