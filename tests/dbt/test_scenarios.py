"""Named scenarios of identity through real builds: who is one person does not depend on the order of deliveries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbt.scenarios import TELLINGS, Scenario, Telling, every_order, persons, scenarios, tell, tellings
from tests.pipeline.projects import Studio

SCENARIOS = scenarios()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_persons_are_those_of_the_table(scenario: Scenario, scenario_studio: Studio) -> None:
    """In every order of delivery the same, and as it was written by hand."""
    told = [Telling(scenario, number) for number in range(TELLINGS)]
    found = persons(scenario_studio, told)
    assert found == {telling.space: telling.persons() for telling in told}


@pytest.mark.slow
def test_rules_may_change_between_builds(tmp_path: Path) -> None:
    """What was joined by other rules before leaves nothing behind."""
    studio, told = Studio.make(tmp_path / "studio"), tellings(TELLINGS)
    assert [tell(studio, told, part) for part in range(3)] == ["full refresh", "full refresh", "increment"]
    assert persons(studio, told) == {telling.space: telling.persons() for telling in told}


@pytest.mark.slow
def test_every_order_in_increments_equals_a_build_from_nothing(tmp_path: Path) -> None:
    """Each permutation of the events; the rules stay the same, so that all builds but the first are increments."""
    studio, told = Studio.make(tmp_path / "studio"), every_order()
    assert len(told) > 2000
    assert len({(telling.scenario.name, str(telling.order)) for telling in told}) == len(told)
    told = [telling for telling in told if " then " not in telling.scenario.rules]
    assert [tell(studio, told, part) for part in range(3)] == ["full refresh", "increment", "increment"]
    assert persons(studio, told) == {telling.space: telling.persons() for telling in told}
    incremental = studio.hashes()
    studio.build("--as-of", "2026-03-03", "--full-refresh")
    assert studio.hashes() == incremental
