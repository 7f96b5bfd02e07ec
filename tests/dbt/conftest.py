"""What the tests of identity share."""

from __future__ import annotations

import pytest

from tests.dbt.scenarios import TELLINGS, tell, tellings
from tests.pipeline.projects import Studio


@pytest.fixture(scope="session")
def scenario_studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """All scenarios, told several times in one build; for reading only. test_scenarios.py tells them in increments."""
    studio, told = Studio.make(tmp_path_factory.mktemp("scenarios") / "studio"), tellings(TELLINGS)
    assert tell(studio, told, 0, 1, 2) == "full refresh"
    return studio
