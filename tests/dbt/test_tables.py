"""The tables: each equals what the words mean, and what an increment makes equals what a build from nothing makes."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.build import BUILD_COMMAND
from tests.dbt.builds import Workshop, dbt, hashes, opened, rows_of
from tests.dbt.definitions import CATALOG, IDLE_SQL, KINDS, busy_rule, busy_sql, idle_rule
from tests.dbt.identities import Rules
from tests.dbt.lives import START, Life, known_cases
from tests.dbt.oracle import Tables
from warehouse.home import Home


def workshop(folder: Path, days: int = 7) -> Workshop:
    """A home with two segments: busy (two renders within some days) and idle."""
    return Workshop(Home(folder).ensure(), CATALOG, {"idle": IDLE_SQL, "busy": busy_sql(days)})


def assert_equals_the_words(
    file: Path, told: list[dict[str, Any]], as_of: datetime, days: int = 7, rules: Rules | None = None
) -> None:
    """Compare every table with its oracle, as multisets of rows."""
    oracle = Tables(told, KINDS, {"idle": idle_rule, "busy": busy_rule(days)}, as_of, rules)
    for table in (
        *("event", "event_conflict", "meta_copy", "event_daily", "session", "account", "person_alias", "identity_link"),
        "identity_decision",
        *("person_property", "person", "segment_stay", "segment_membership"),
    ):
        expected = getattr(oracle, table)()
        assert expected, f"the test says nothing about {table}"
        found = rows_of(file, table, expected[0])
        extra, missing = _counted(found) - _counted(expected), _counted(expected) - _counted(found)
        assert not extra, f"{table}: {len(extra)} rows too many, such as {_first(extra)}; missing {_first(missing)}"
        assert not missing, f"{table}: {len(missing)} rows missing, such as {_first(missing)}"


def _counted(rows: list[dict[str, Any]]) -> Counter[Any]:
    return Counter(tuple(row.items()) for row in rows)


def _first(rows: Counter[Any]) -> dict[str, Any]:
    return dict(min(rows, key=str)) if rows else {}


def test_an_increment_equals_the_words(tmp_path: Path) -> None:
    """Late data, repeats, conflicts, merges, a changed segment, an earlier as_of."""
    studio, life = workshop(tmp_path / "home"), Life(seed=1)
    cases, more_cases = known_cases()
    studio.land(life.tell(cases))
    studio.land(life.day(40, 120))
    studio.land(life.day(60, 100))
    first = studio.build(START + timedelta(days=61), data_tests=False)
    assert_equals_the_words(first, life.told, START + timedelta(days=61))

    studio.segments = {"idle": IDLE_SQL, "busy": busy_sql(14)}
    studio.land(life.tell(more_cases))
    studio.land(life.day(61, 60))
    as_of = START + timedelta(days=55)
    second = studio.build(as_of, unit_tests=True)
    assert_equals_the_words(second, life.told, as_of, days=14)


@pytest.mark.slow
def test_increments_equal_the_words_and_a_build_from_nothing(tmp_path: Path) -> None:
    """Late data, repeats, conflicts, merges, a changed segment, an as_of that moves forwards, backwards and alone.

    The build from nothing gets the deliveries in another order and cut into other batches.
    """
    studio, life = workshop(tmp_path / "home"), Life(seed=1)
    studio.keeps_scratch = True
    found_new = studio.home.build / "scratch.duckdb"
    cases, more_cases = known_cases()

    studio.land(life.tell(cases))
    studio.land(life.day(40, 120))
    studio.land(life.day(60, 100))
    first = studio.build(START + timedelta(days=61))
    assert_equals_the_words(first, life.told, START + timedelta(days=61))

    studio.land(life.tell(more_cases))
    studio.land(life.day(61, 60))
    studio.land(life.day(62, 40))
    as_of = START + timedelta(days=55)
    second = studio.build(as_of, unit_tests=True)
    assert_equals_the_words(second, life.told, as_of)
    assert _count(found_new, "delta.int_meta__match where is_counted and not was_counted") >= 1
    assert _count(found_new, "delta.int_meta__match where was_counted and not is_counted") >= 3

    studio.segments = {"idle": IDLE_SQL, "busy": busy_sql(14)}
    studio.land(life.day(90, 60))
    as_of = START + timedelta(days=120)
    third = studio.build(as_of)
    assert_equals_the_words(third, life.told, as_of, days=14)

    as_of = START + timedelta(days=80)
    fourth = studio.build(as_of)
    assert _count(found_new, "delta.int_touched_person") == 0

    told = random.Random(3).sample(life.told, k=len(life.told))
    studio.relanded([told[:250], told[250:]])
    assert hashes(fourth) == hashes(studio.build(as_of, full=True))


def _count(file: Path, table: str) -> int:
    with opened(file) as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


@pytest.mark.slow
def test_the_order_of_increments_does_not_matter(tmp_path: Path) -> None:
    """The same deliveries in another order, cut into other builds, make the same tables."""
    life = Life(seed=2)
    told = life.day(40, 120) + life.day(41, 60)
    as_of = START + timedelta(days=60)
    at_once, by_parts = workshop(tmp_path / "at_once"), workshop(tmp_path / "by_parts")
    at_once.land(told)
    shuffled = random.Random(3).sample(told, k=len(told))
    for part in (shuffled[:80], shuffled[80:150], shuffled[150:]):
        by_parts.land(part)
        file = by_parts.build(as_of)
    assert hashes(file) == hashes(at_once.build(as_of))


@pytest.mark.slow
def test_dbt_by_hand_may_be_repeated(tmp_path: Path) -> None:
    """In a prepared folder a build that was broken off, or is run again, ends in the same tables."""
    studio, life = workshop(tmp_path / "home"), Life(seed=5)
    studio.land(life.day(40, 80))
    as_of = START + timedelta(days=60)
    for part in ("event", "int_identity__owner", "person_property"):
        studio.land(life.day(41, 40))
        folder = studio.prepare(as_of)
        dbt(folder, "run", "--select", f"+{part}", keeps_scratch=True)
        dbt(folder, *BUILD_COMMAND, keeps_scratch=True)
        once = hashes(studio.home.build / "warehouse.duckdb")
        dbt(folder, *BUILD_COMMAND, keeps_scratch=True)
        assert hashes(studio.publish()) == once
    assert once == hashes(studio.build(as_of, full=True))


@pytest.mark.slow
def test_the_documentation_is_one_file(tmp_path: Path) -> None:
    """dbt docs generate --static works in the build folder and names every mart."""
    studio = workshop(tmp_path / "home")
    studio.land(Life(seed=6).day(1, 20))
    folder = studio.prepare(START)
    dbt(folder, *BUILD_COMMAND)
    dbt(folder, "docs", "generate", "--static")
    page = (folder / "target" / "static_index.html").read_text()
    assert "Of several bodies that came with one" in page
    assert 'src="http' not in page


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_days_of_increments_equal_the_words(tmp_path: Path, seed: int) -> None:
    """Five daily loads, an as_of that jumps about, and a full refresh at the end; test_incremental.py has a week."""
    studio, life = workshop(tmp_path / "home"), Life(seed)
    chance = random.Random(seed)
    studio.land(life.day(0, 80))
    for number in range(5):
        studio.land(life.day(number * chance.choice((1, 1, 9)), 80))
        as_of = START + timedelta(days=chance.uniform(-3, 80))
        file = studio.build(as_of)
        assert_equals_the_words(file, life.told, as_of)
    assert hashes(file) == hashes(studio.build(as_of, full=True))
