"""Named scenarios of identity through real builds: who is one person does not depend on the order of deliveries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbt.scenarios import TELLINGS, Scenario, Telling, every_order, persons, scenarios, tell, tellings
from tests.pipeline.projects import Studio
from warehouse.duck import connect

SCENARIOS = scenarios()
#: Whose each event is by the identifier that speaks for it.
OWNERS = """
select event.body_key, owner.person_key
from event
inner join intermediate.int_identity__owner as owner
    on event.identifier_key = owner.identifier_key
    and (owner.valid_from is null or event.occurred_at >= owner.valid_from)
    and (owner.valid_to is null or event.occurred_at < owner.valid_to)
"""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_persons_are_those_of_the_table(scenario: Scenario, scenario_studio: Studio) -> None:
    """In every order of delivery the same, and as it was written by hand."""
    told = [Telling(scenario, number) for number in range(TELLINGS)]
    found = persons(scenario_studio, told)
    assert found == {telling.space: telling.persons() for telling in told}


@pytest.fixture(scope="module")
def told_in_parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Studio, list[Telling]]:
    """All scenarios in three builds; the rules change with the second, the third is an increment."""
    studio, told = Studio.make(tmp_path_factory.mktemp("parts") / "studio"), tellings(TELLINGS)
    assert [tell(studio, told, part) for part in range(3)] == ["full refresh", "full refresh", "increment"]
    return studio, told


@pytest.mark.slow
def test_an_increment_rewrites_the_events_of_persons_whose_key_changed(
    told_in_parts: tuple[Studio, list[Telling]],
) -> None:
    """And no others: these stay where they are in the table, every column as it was."""
    studio, _ = told_in_parts
    events, owners = [], []
    for generation in ("000002", "000003"):
        with connect(studio.home.warehouse_dir / f"{generation}.duckdb", read_only=True) as connection:
            rows = connection.sql("select rowid, person_key, columns(* exclude person_key) from event")
            place = rows.columns.index("body_key")
            events.append({row[place]: row for row in rows.fetchall()})
            owners.append(dict(connection.sql(OWNERS).fetchall()))
    before, after = events
    assert before.keys() < after.keys()
    rewritten = {body_key for body_key, row in before.items() if after[body_key] != row}
    assert rewritten == {body_key for body_key in before if owners[0].get(body_key) != owners[1].get(body_key)}
    assert 0 < len(rewritten) < len(before) / 2
    for body_key in rewritten:
        old, new = before[body_key], after[body_key]
        assert new == (old[0], owners[1][body_key], *old[2:])


@pytest.mark.slow
def test_rules_may_change_between_builds(told_in_parts: tuple[Studio, list[Telling]]) -> None:
    """What was joined by other rules before leaves nothing behind."""
    studio, told = told_in_parts
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
