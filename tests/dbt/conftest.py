"""What the tests of identity share."""

from __future__ import annotations

import pytest

from tests.dbt.scenarios import TELLINGS, tell, tellings
from tests.pipeline.projects import Studio


@pytest.fixture(scope="session")
def scenario_studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """All scenarios, told several times over two builds, of which the last is an increment; for reading only."""
    studio, told = Studio.make(tmp_path_factory.mktemp("scenarios") / "studio"), tellings(TELLINGS)
    assert [tell(studio, told, 0, 1), tell(studio, told, 2)] == ["full refresh", "increment"]
    return studio
