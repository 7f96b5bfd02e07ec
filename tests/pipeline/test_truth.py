"""What is built of a simulated world, all its sources together, against what is true of it."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.segment_leaves import PUBLISHED
from analytics.segment_rules import compile_segments
from models.segment import SegmentDefinition
from tests.conftest import ODD_EVENTS, SAMPLE, WRITERS
from tests.ingest.simulator.worlds import deliveries, raw_lines, world
from tests.pipeline.projects import Studio
from warehouse.duck import connect

#: How many persons the large world has; `make slow` tries 50,000.
PERSONS = int(os.environ.get("GDP_TRUTH_PERSONS", "5000"))
#: Events of Stripe as the build names them, by the type of the webhook that tells each of them once.
STRIPE_EVENTS = {
    "customer.created": "customer_created",
    "invoice.paid": "payment_succeeded",
    "invoice.payment_failed": "payment_failed",
    "customer.subscription.deleted": "subscription_cancelled",
}

#: What the simulator means by its segments, as rules.
STORIES = {
    "churn_risk": [
        {"property": "lastActionDate", "operator": "lte", "value": "now - 30d"},
        {"property": "billing_status", "operator": "in", "value": ["trial", "paid", "past_due"]},
    ],
    "power_users": [{"eventType": "video_rendered", "eventCount": {"gte": 10}, "eventWindow": "30d"}],
    "trial_to_paid": [{"eventType": "signup_completed"}, {"eventType": "purchase_completed"}],
}


@dataclass(frozen=True)
class Held:
    """A built world and its truth in one connection; the tables of the truth are called true_…."""

    studio: Studio
    folder: Path
    connection: duckdb.DuckDBPyConnection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query on both."""
        return self.connection.execute(sql).fetchall()


def land(studio: Studio, folder: Path) -> None:
    """Land all sources of a world."""
    for kind, writer in WRITERS.items():
        studio.ok("ingest", writer, folder / kind)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Studio, Path]:
    """A world of many persons, built at once."""
    folder = world(tmp_path_factory.mktemp("large") / "world", PERSONS, days=300)
    studio = Studio.make(tmp_path_factory.mktemp("large-studio"))
    land(studio, folder)
    studio.build("--as-of", "2026-07-28")
    return studio, folder


@pytest.fixture(params=["sample", pytest.param("large", marks=pytest.mark.slow)])
def held(request: pytest.FixtureRequest) -> Iterator[Held]:
    """The committed sample, or a large world."""
    found = request.getfixturevalue(request.param)
    studio, folder = found if request.param == "large" else (found, SAMPLE)
    with connect(studio.home.current.resolve(), read_only=True) as connection:
        for path in (folder / "truth").iterdir():
            connection.execute(f"create temp view true_{path.stem} as from '{path}'")
        yield Held(studio, folder, connection)


def test_every_person_is_one_person(held: Held) -> None:
    """All identifiers of a person lead to one, and no two persons to the same; shared devices apart."""
    linked = """
        with linked as (
            select person, type, value, person_key
            from (from true_identifier where not is_shared) as identifier
            left join identity_link
                on id_type = type and id_value = case when type = 'email' then sha256(value) else value end
        )
    """
    assert held.rows(f"{linked} select type, value from linked where person_key is null") == []
    ((persons, keys, pairs),) = held.rows(
        f"{linked} select count(distinct person), count(distinct person_key), count(distinct (person, person_key))"
        " from linked"
    )
    assert persons == keys == pairs == held.rows("select count(*) from true_person")[0][0]


def test_pairs_of_identifiers_are_joined_as_in_truth(held: Held) -> None:
    """Precision 1.0, and recall 1.0 but for shared devices: each pair that is missed has one, refused as such."""
    pairs = """
        with known as (
            select person, is_shared, identifier_key, person_key
            from (select *, if(type = 'email', sha256(value), value) as id_value from true_identifier) as told
            inner join intermediate.int_identity__identifier as identifier
                on told.type = identifier.id_type and told.id_value = identifier.id_value
            inner join intermediate.int_identity__owner as owner using (identifier_key)
            where owner.valid_from is null
        ),
        pair as (
            select
                one.identifier_key as left_key,
                other.identifier_key as right_key,
                bool_or(one.person = other.person) as is_true,
                any_value(one.person_key = other.person_key) as is_built,
                any_value(if(one.is_shared, one.identifier_key, if(other.is_shared, other.identifier_key, null)))
                    as shared_key
            from (
                select one.*, other from known as one inner join known as other using (person)
                union all
                select one.*, other from known as one inner join known as other using (person_key)
            ) as one
            where one.identifier_key < other.identifier_key
            group by all
        )
    """
    measure = "count(*) filter (where is_true), count(*) filter (where is_built and not is_true)"
    ((true, wrong),) = held.rows(f"{pairs} select {measure} from pair")
    assert (true > 1000, wrong) == (True, 0)
    reasons = """
        select distinct shared_key, refused_by
        from pair
        left join identity_decision as decision
            on not is_accepted and (shared_key = decision.left_key or shared_key = decision.right_key)
        where is_true and not is_built
    """
    told = held.rows(f"{pairs} {reasons}")
    assert {reason for _, reason in told} == {"shared_device"}
    assert len(told) == held.rows("select count(distinct (type, value)) from true_identifier where is_shared")[0][0]


def test_each_miss_is_told_with_its_reason(held: Held) -> None:
    """By the command: nothing is mixed up, and all that is missed are pairs with a device that several users had."""
    truth = held.folder / "truth" / "identifier.parquet"
    found = held.studio.ok("identity", "report", "--truth", truth, "--format", "json").json
    shared = {
        f"{type_}:{value}" for type_, value in held.rows("select type, value from true_identifier where is_shared")
    }
    assert (found["precision"], found["merges"], found["wrong"]) == (1.0, [], 0)
    assert found["reasons"] == [{"reason": "shared_device", "pairs": found["missed"]}]
    assert {name for miss in found["misses"] for name in miss["a"] + miss["b"] if name in shared} == shared
    assert sum(miss["pairs"] for miss in found["misses"]) == found["missed"] > 0
    for miss in found["misses"]:
        assert any({*miss[side]} <= shared for side in ("a", "b"))
        assert all({step["a"], step["b"]} & shared for step in miss["refusals"])


def test_every_event_counts_once_on_its_day(held: Held) -> None:
    """By source, type and day, whatever came twice, late, or by two ways."""
    true = "from true_event_count where source <> 'stripe'"
    built = f"""
        select source, event_type, occurred_at::date, count(*) from event
        where source <> 'stripe' and event_id not in {tuple(event["eventId"] for event in ODD_EVENTS)}
        group by all
    """
    assert len(held.rows(true)) > 1000
    assert held.rows(f"(({true}) except ({built})) union all (({built}) except ({true}))") == []


def test_events_of_stripe_are_those_of_its_webhooks(held: Held) -> None:
    """Those that each have a webhook of their own, by day; and one start for each subscription that was no attempt."""
    names = ", ".join(f"('{told}', '{built}')" for told, built in STRIPE_EVENTS.items())
    true = f"""
        select name, day, events from true_event_count
        inner join (values {names}) as renamed(event_type, name) using (event_type)
        where source = 'stripe'
    """
    built = """
        select event_type, occurred_at::date, count(*) from event where source = 'stripe' group by all
    """
    named = f"from ({built}) where event_type in {tuple(STRIPE_EVENTS.values())}"
    assert {name for name, *_ in held.rows(true)} == set(STRIPE_EVENTS.values())
    assert held.rows(f"(({true}) except ({named})) union all (({named}) except ({true}))") == []
    ((started,),) = held.rows("select count(*) from event where event_type = 'subscription_started'")
    assert [(started,)] == held.rows(
        "select count(distinct subscription_id) from true_subscription_day"
        " where status not in ('incomplete', 'incomplete_expired')"
    )


def test_subscriptions_are_what_they_are_at_the_end(held: Held) -> None:
    """Status, plan's interval, quantity and currency on the last day, of those that have not ended."""
    true = """
        select subscription_id, status, quantity, currency, billing_interval from true_subscription_day
        where day = (select max(day) from true_subscription_day) and status not in ('canceled', 'incomplete_expired')
    """
    built = """
        select stripe_subscription_id, stripe_status, quantity, currency, billing_interval from subscription
        where cancelled_at is null
    """
    assert len(held.rows(true)) > 10
    assert sorted(held.rows(true)) == sorted(held.rows(built))


def test_signup_cohorts_return_as_they_did(held: Held) -> None:
    """Each week's size, and who acted on day 7 and 30; no rate while somebody has not lived that day."""
    metrics = ("retention_d7", "retention_d30")
    command = ("cohort", "--by", "signup", "--interval", "week", "--metrics", ",".join(metrics), "--format", "json")
    built = [
        (one["cohort"], one["size"], *(_returned(one["metrics"][metric]) for metric in metrics))
        for one in held.studio.ok(*command).json["cohorts"]
    ]
    true = held.rows("select week::varchar, size, d7, d30 from true_cohort order by week")
    assert len(true) > 10
    assert built == true


def test_stays_in_segments_are_those_that_were_planted(held: Held) -> None:
    """Everybody's that began, to the millisecond, with the ends that lie ahead."""
    stories = [
        SegmentDefinition.model_validate({"segment_id": name, "name": name, "rules": rules})
        for name, rules in STORIES.items()
    ]
    built = f"""
        select segment_id, person, entered_at, exited_at
        from ({compile_segments(stories, scope_for=lambda _: PUBLISHED)}) as stay
        inner join (
            select distinct person, person_key from true_identifier
            inner join identity_link on id_type = type and id_value = value
            where not is_shared and type = 'user_id'
        ) as owner using (person_key)
        where entered_at < (select as_of from build_info)
    """
    true = (
        f"select segment_id, person, entered_at, exited_at from true_segment_stay where segment_id in {tuple(STORIES)}"
    )
    assert {segment_id for segment_id, *_ in held.rows(true)} == set(STORIES)
    assert held.rows(f"(({true}) except all ({built})) union all (({built}) except all ({true}))") == []


def _returned(cell: dict[str, Any]) -> int | None:
    return cell["n"] if cell["complete"] else None


def test_copies_of_meta_match(held: Held) -> None:
    """By event name: how many came from the pixel, from the server, and from both; an id may come again days later."""
    channels: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for delivery in deliveries(held.folder, "meta"):
        for event in delivery["body"]["data"]:
            key = (event["event_name"].lower(), event["event_id"], event["event_time"])
            channels[key].add(delivery["channel"])
    expected: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (name, *_), ways in channels.items():
        for place, is_so in enumerate(("pixel" in ways, "server" in ways, len(ways) == 2)):
            expected[name][place] += is_so
    built = held.studio.ok("meta", "matches", "--format", "json").json["events"]
    assert all(any(one[place] for one in expected.values()) for place in range(3))
    assert {one["eventType"]: [one["pixel"], one["server"], one["matched"]] for one in built} == expected


@pytest.mark.slow
def test_any_order_of_deliveries_gives_the_same_tables(sample: Studio, tmp_path: Path) -> None:
    """Shuffled, every tenth told again, cut into three builds: as told once, in order, and built at once."""
    chance, at_once, in_parts = random.Random(5), Studio.make(tmp_path / "one"), Studio.make(tmp_path / "three")
    land(at_once, SAMPLE)
    at_once.build("--as-of", "2026-07-01")
    told = {}
    for kind in WRITERS:
        lines = raw_lines(SAMPLE, kind)
        told[kind] = chance.sample([*lines, *lines[::10]], k=len(lines) + len(lines[::10]))
    for part in range(3):
        for kind, writer in WRITERS.items():
            file = tmp_path / f"{kind}-{part}.jsonl"
            file.write_bytes(b"\n".join(told[kind][part::3]) + b"\n")
            in_parts.ok("ingest", writer, file)
        in_parts.build("--as-of", "2026-07-01")
    hashes = at_once.hashes()
    assert len(hashes) > 15
    assert in_parts.hashes() == hashes
