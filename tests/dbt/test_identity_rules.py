"""Rules of identity that are not the usual ones: increments and edits of the rules equal the words."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models.identity import IdentityRules
from models.keys import email_sha256
from pipeline.build import BUILD_COMMAND
from tests.dbt.builds import dbt, delivery, hashes, opened
from tests.dbt.identities import Identifier, Pair, Rules, identifiers
from tests.dbt.lives import START, Life, known_cases
from tests.dbt.oracle import Tables
from tests.dbt.test_tables import KINDS, assert_equals_the_words, workshop

#: Pairs of identifiers that chance joins, or would not.
NEAR: tuple[Pair, ...] = tuple(
    (("user_id", f"user_id-{who}-0"), ("anonymous_id", f"anonymous_id-{who}-{who % 2}")) for who in range(8)
)
FAR: tuple[Pair, ...] = tuple(
    (("google_id", f"google_id-{who}-0"), ("email", email_sha256(f"zoë{who + 1}@example.com"))) for who in range(10, 18)
)
USUAL = {"user_id": 1, "stripe_id": 5, "email": 5, "google_id": 5, "github_id": 5}


def written(pair: Pair) -> list[str]:
    """Two identifiers as a definitions file names them; an address stands for its hash."""
    return [":".join(_named(identifier)) for identifier in pair]


def _named(identifier: Identifier) -> Identifier:
    if identifier[0] != "email":
        return identifier
    addresses = {email_sha256(f"zoë{who}@example.com"): f"zoë{who}@example.com" for who in range(30)}
    return "email", addresses[identifier[1]]


def hand(links: tuple[Pair, ...], cuts: tuple[Pair, ...]) -> list[dict[str, Any]]:
    """Rules by hand as a definitions file has them."""
    return [
        *({"link": written(pair), "reason": "one"} for pair in links),
        *({"cut": written(pair), "reason": "two"} for pair in cuts),
    ]


#: What a definitions file says, and the same in the oracle's words.
KINDS_OF_RULES: dict[str, tuple[dict[str, Any], Rules]] = {
    "small hubs": ({"hub_threshold": 2}, Rules(hub_threshold=2)),
    "wide limits": (
        {"limits": {"user_id": 3, "email": None, "anonymous_id": 2}, "hub_threshold": 50},
        Rules(
            most={"user_id": 3, "stripe_id": 5, "google_id": 5, "github_id": 5, "anonymous_id": 2},
            hub_threshold=50,
        ),
    ),
    "links and cuts": ({"hand": hand(FAR, NEAR)}, Rules(most=USUAL, links=FAR, cuts=NEAR)),
    "cuts between strangers": (
        {"limits": {"user_id": 2}, "hand": hand(NEAR, FAR)},
        Rules(most={**USUAL, "user_id": 2}, links=NEAR, cuts=FAR),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS_OF_RULES)
def test_increments_under_other_rules_equal_the_words(name: str, tmp_path: Path) -> None:
    """Merges, bodies that go over to somebody else, late events, of whom usual rules would say something else."""
    said, rules = KINDS_OF_RULES[name]
    studio, life = workshop(tmp_path / "home"), Life(seed=len(name), people=20)
    studio.rules = IdentityRules.model_validate(said)
    as_of = START + timedelta(days=70)
    cases, more_cases = known_cases()
    for batch in (life.tell(cases) + life.day(40, 160), life.tell(more_cases) + life.day(50, 120), life.day(60, 120)):
        studio.land(batch)
        file = studio.build(as_of)
    assert_equals_the_words(file, life.told, as_of, rules=rules)
    with opened(file) as connection:
        refused = connection.execute("select count(*) from identity_decision where not is_accepted").fetchall()
    assert refused[0][0] > 0
    decided, usual = (Tables(life.told, KINDS, {}, as_of, by).identity_decision() for by in (rules, None))
    assert decided != usual
    assert hashes(studio.build(as_of, full=True)) == hashes(file)


def by_chance(chance: random.Random, life: Life) -> tuple[dict[str, Any], Rules]:
    """Limits, a hub threshold, links and cuts; those by hand are between identifiers that were told.

    No two links share an end, so that none joins what is cut by way of another.
    """
    told = sorted({identifier for event in life.told for identifier in identifiers(event)} & set(_nameable()))
    linked = chance.sample(told, k=12)
    links: tuple[Pair, ...] = tuple(zip(linked[::2], linked[1::2], strict=True))
    drawn = {tuple(sorted(chance.sample(told, k=2))) for _ in range(30)}
    cuts: tuple[Pair, ...] = tuple(sorted(drawn - {tuple(sorted(pair)) for pair in links}))
    most = {
        "user_id": chance.choice((1, 1, 2)),
        "anonymous_id": chance.choice((1, 2, 4)),
        "email": chance.choice((1, 5)),
    }
    threshold = chance.choice((2, 3, 10))
    said = {"limits": most, "hub_threshold": threshold, "hand": hand(links, cuts)}
    return said, Rules(most={**USUAL, **most}, hub_threshold=threshold, links=links, cuts=cuts)


def _nameable() -> list[Identifier]:
    """Identifiers that a definitions file can name: addresses only where the hash is known."""
    plain = [
        (id_type, f"{id_type}-{who}-{number}")
        for id_type in ("user_id", "anonymous_id", "google_id", "device_id", "stripe_id")
        for who in range(30)
        for number in range(4)
    ]
    return [*plain, *(("email", email_sha256(f"zoë{who}@example.com")) for who in range(30))]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22, 23])
def test_random_merges_cuts_and_edits_of_the_rules_equal_the_words(seed: int, tmp_path: Path) -> None:
    """Each edit of the rules by chance, each followed by increments under them; at last a build from nothing."""
    studio, life, chance = workshop(tmp_path / "home"), Life(seed, people=20), random.Random(seed)
    studio.land(life.day(30, 160))
    refused = 0
    for number in range(2):
        said, rules = by_chance(chance, life)
        studio.rules = IdentityRules.model_validate(said)
        for day in (40, 50):
            studio.land(life.day(day + 20 * number, 80))
            as_of = START + timedelta(days=day + 20 * number)
            file = studio.build(as_of, full=day == 40)
            assert_equals_the_words(file, life.told, as_of, rules=rules)
        with opened(file) as connection:
            refused += len(connection.execute("select 1 from identity_decision where refused_by = 'cut'").fetchall())
    assert refused > 0
    assert hashes(studio.build(as_of, full=True)) == hashes(file)


@pytest.mark.slow
@pytest.mark.parametrize("day", [20, 45])
def test_who_was_who_at_a_moment_equals_the_words(day: int, tmp_path: Path) -> None:
    """What was received later joins nobody, and shared devices stay with whom they were; all facts are there."""
    studio, life = workshop(tmp_path / "home"), Life(seed=day, people=20)
    cases, more_cases = known_cases()
    studio.land(life.tell(cases + more_cases) + life.day(10, 120) + life.day(30, 120) + life.day(60, 120))
    as_of, moment = START + timedelta(days=70), START + timedelta(days=day)
    today = hashes(studio.build(as_of, full=True))
    studio.identity_as_of = moment
    then = studio.build(as_of, full=True)
    assert_equals_the_words(then, life.told, as_of, rules=Rules(known_at=moment))
    assert hashes(then)["identity_link"] != today["identity_link"]


@pytest.mark.slow
def test_broken_identity_is_found(tmp_path: Path) -> None:
    """Persons that a rule forbids, rows of a person that is gone and edges without a decision fail the build."""
    studio = workshop(tmp_path / "home")
    users = [("user_id", "a"), ("user_id", "b")]
    studio.rules = IdentityRules.model_validate({"hand": hand((), ((users[0], users[1]),))})
    events = {"event_type": "video_rendered", "occurred_at": START, "email": "shared@example.com"}
    studio.land([delivery(event_id=value, **{name: value}, **events) for name, value in users])
    folder = studio.prepare(START)
    dbt(folder, *BUILD_COMMAND, keeps_scratch=True)
    with duckdb.connect(str(studio.home.build / "warehouse.duckdb")) as connection:
        connection.execute("update intermediate.int_identity__owner set person_key = 1")
        connection.execute("delete from intermediate.int_identity__decision")
    with pytest.raises(AssertionError) as failure:
        dbt(folder, "test", "--exclude-resource-type", "unit_test", keeps_scratch=True)
    for name in ("keeps_the_limits", "keeps_the_cuts", "decides_every_edge"):
        assert f"\n{name}_int_identity__" in f"\n{failure.value}"
    for mart in ("int_identity__owner", "event_daily", "session"):
        assert f"\nperson_is_there_{mart}" in f"\n{failure.value}"
