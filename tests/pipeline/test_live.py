"""Who is in a segment by all that landed: what a build of it would say, without the build."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from models.errors import GdpError, UsageError
from models.landing import STRIPE
from pipeline.known import read_known
from pipeline.live import open_live
from pipeline.project import find_project
from pipeline.unbuilt_sql import USERS
from tests.conftest import ODD_EVENTS, SAMPLE, SEGMENTS, WRITERS
from tests.dbt.builds import Workshop, opened
from tests.dbt.definitions import CATALOG, IDLE_SQL
from tests.dbt.ledger_cases import by_id, coupons
from tests.dbt.lives import START, Life, known_cases
from tests.dbt.stripes import event as stripe_event
from tests.dbt.stripes import subscription
from tests.pipeline.projects import Studio
from warehouse.definitions import Definitions
from warehouse.home import Home

NOW = datetime(2026, 7, 1, tzinfo=timezone.utc)
#: Of one person: events, and what rules may ask for, with its past.
TABLES = (
    "select * exclude (batch_seq, landed_at) from event where person_key = $person order by all",
    "select * from person_property where person_key = $person and property <> 'segment' order by all",
    "select * from person_alias where person_key = $person order by all",
)
OWNERS = (
    "select identifier_key, person_key from intermediate.int_identity__owner where valid_from is null"
    " order by identifier_key"
)


def renders(person: dict[str, str], day: str, count: int, name: str) -> list[dict[str, Any]]:
    """Renders of somebody on a day, and a batch."""
    types = ["video_rendered"] * count + ["batch_render_completed"]
    return [
        {"eventId": f"{name}-{number}", "timestamp": f"{day}T10:{number:02}:00Z", "eventType": kind, **person}
        for number, kind in enumerate(types)
    ]


def opened_live(studio: Studio) -> Any:
    """Answers as of the end of June."""
    return open_live(find_project(studio.folder), clock=lambda: NOW)


def test_what_landed_since_the_build_counts_for_whom_it_touches(own_sample: Studio) -> None:
    """New persons, known ones under another identifier, two who turn out to be one; nobody else."""
    with opened_live(own_sample) as live:
        members = {"user_id:user-0000145": live.is_in_segment("user_id:user-0000145", "power_users")}
        with pytest.raises(UsageError, match="no event carried 'user_id:fresh'"):
            live.is_in_segment("user_id:fresh", "power_users")
        own_sample.land("one", renders({"personId": "fresh"}, "2026-06-29", 10, "one"))
        assert live.is_in_segment("user_id:fresh", "power_users")
        assert not live.is_in_segment("user_id:fresh", "power_users", as_of=datetime(2026, 6, 1, tzinfo=timezone.utc))
        assert live.is_in_segment("user_id:user-0000145", "power_users") == members["user_id:user-0000145"]
        own_sample.land("half", renders({"email": "split@example.com"}, "2026-06-29", 5, "half"))
        own_sample.land("other", renders({"anonymousId": "split-device"}, "2026-06-30", 5, "other"))
        assert not live.is_in_segment("split@example.com", "power_users")
        joined = {"eventId": "join", "timestamp": "2026-06-30T12:00:00Z", "eventType": "login"}
        own_sample.land("join", [{**joined, "email": "split@example.com", "anonymousId": "split-device"}])
        assert live.is_in_segment("split@example.com", "power_users")
        assert live.is_in_segment("anonymous_id:split-device", "power_users")
        said = live.explain("split@example.com", "power_users")
        assert (said.is_member, [reason.holds for reason in said.reasons]) == (True, [True, True, True])


def test_the_command_says_what_it_knows(own_sample: Studio) -> None:
    """The answer on standard output; that something landed since, beside it."""
    own_sample.land("one", renders({"personId": "fresh"}, "2026-06-29", 10, "one"))
    asked = ("segment", "is-member", "power_users", "user_id:fresh", "--as-of", "2026-07-01")
    answer = own_sample.ok(*asked)
    assert (answer.out, answer.err) == (
        "yes\n",
        "gdp: as of 2026-07-01 00:00:00 UTC; 11 rows that landed since count, too\n",
    )
    assert own_sample.ok("segment", "explain", *asked[2:]).out.splitlines()[1] == "In it as of 2026-07-01 00:00 UTC."
    assert own_sample.ok("segment", "is-member", "power_users", "user_id:fresh").out == "no\n", "by now it is over"


def test_a_changed_segment_is_answered_as_it_is_defined(own_sample: Studio) -> None:
    """Its stays are worked out for the person; rows that land under changed identity rules need a build."""
    file = own_sample.folder / "definitions" / "segments" / "power_users.yml"
    file.write_text("name: Power Users\nrules: [{eventType: signup_completed}]\n")
    with opened_live(own_sample) as live:
        assert live.is_in_segment("user_id:user-0000145", "power_users")
        with pytest.raises(UsageError, match="unknown segment 'power_usr'"):
            live.is_in_segment("user_id:user-0000145", "power_usr")
    (own_sample.folder / "definitions" / "identity.yml").write_text("hub_threshold: 3\n")
    with opened_live(own_sample) as live:
        assert live.is_in_segment("user_id:user-0000145", "power_users")
        own_sample.land("one", renders({"personId": "fresh"}, "2026-06-29", 10, "one"))
        with pytest.raises(GdpError, match="the identity rules changed since the published build, and something"):
            live.is_in_segment("user_id:user-0000145", "power_users")


def test_edges_have_the_numbers_of_types_that_questions_go_by(sample: Studio) -> None:
    """Users and Stripe customers have the numbers that are asked for, and no other type has them."""
    ends = " union all ".join(
        f"select {side}_key as identifier_key, {side}_type as number from intermediate.int_identity__edge"
        for side in ("left", "right")
    )
    with opened(sample.home.current.resolve()) as connection:
        found = connection.execute(
            f"select id_type, bool_and(number in {USERS}), bool_or(number in {USERS}) from ({ends})"
            " inner join intermediate.int_identity__identifier using (identifier_key) group by id_type"
        ).fetchall()
    known = {"user_id", "stripe_id"}
    assert {name for name, _, _ in found} > known
    assert all((always, ever) == (name in known, name in known) for name, always, ever in found)


def test_a_process_that_runs_answers_by_what_is_defined_now(own_sample: Studio) -> None:
    """An edited segment counts from the next question on; a broken one is named until it is mended."""
    file, person = own_sample.folder / "definitions" / "segments" / "power_users.yml", "user_id:user-0000145"

    def define(rules: str) -> None:
        file.write_text(f"name: Power Users\nrules: {rules}\n")

    define("[{eventType: signup_completed}]")
    with opened_live(own_sample) as live:
        assert live.is_in_segment(person, "power_users")
        define("[{eventType: signup_completed, eventCount: {gte: 1000}}]")
        assert not live.is_in_segment(person, "power_users")
        define("[")
        for _ in range(2):
            with pytest.raises(UsageError, match=r"power_users\.yml"):
                live.is_in_segment(person, "power_users")
        define("[{eventType: signup_completed}]")
        assert live.is_in_segment(person, "power_users")


def _land(studio: Studio, files: str) -> None:
    for kind, writer in WRITERS.items():
        studio.ok("ingest", writer, *sorted((SAMPLE / kind).glob(files)))


@pytest.mark.slow
def test_answers_are_those_of_a_build_of_the_same_deliveries(tmp_path: Path) -> None:
    """All segments of many persons, after a month of every source and what is odd."""
    studio = Studio.make(tmp_path / "studio")
    (studio.folder / "definitions" / "segments" / "language.json").write_text(json.dumps(SEGMENTS))
    _land(studio, "2026-0[1-5]*")
    studio.build("--as-of", "2026-06-01")
    _land(studio, "2026-06*")
    studio.land("odd", ODD_EVENTS)
    with opened_live(studio) as live:
        known = live.known()
        found = {}
        names = known.everything.rows("select identifier_key from intermediate.int_identity__identifier order by 1")
        keys = random.Random(7).sample([key for (key,) in names], k=60)
        keys += [
            known.identifier(name)[0]
            for name in ("user_id:user-0000145", "user_id:=1+1", "device_id:shared@example.com")
        ]
        segments = [name for name in known.by_id if name not in known.queries]
        for key in keys:
            found[key] = {name: known.stays(key, name) for name in segments}
    studio.build("--as-of", "2026-07-01")
    with opened(studio.home.current.resolve()) as connection:
        for key, stays in found.items():
            expected: dict[str, list[Any]] = {name: [] for name in stays}
            for name, entered, exited in connection.execute(
                "select segment_id, entered_at, exited_at from segment_stay where person_key = ("
                "select person_key from intermediate.int_identity__owner"
                " where identifier_key = $key and valid_from is null) order by entered_at",
                {"key": key},
            ).fetchall():
                if name in expected:
                    expected[name].append((entered, exited))
            assert {name: list(rows) for name, rows in stays.items()} == expected


@pytest.mark.slow
@pytest.mark.parametrize("seed", [31, 32, 33])
def test_the_tables_about_a_person_are_those_of_a_build(tmp_path: Path, seed: int) -> None:
    """Late rows, repeats, conflicts, hubs, shared devices, merges, copies of Meta events: of every identifier."""
    studio, life = Workshop(Home(tmp_path / "home").ensure(), CATALOG, {"idle": IDLE_SQL}, keeps_sql=True), Life(seed)
    cases, more_cases = known_cases()
    studio.land(life.tell(cases))
    studio.land(life.day(40, 120))
    as_of = START + timedelta(days=80)
    first = studio.build(as_of)
    studio.land(life.tell(more_cases))
    studio.land(life.day(41, 25))
    studio.land(life.day(60, 10))
    built = studio.files[: studio.built]
    known = read_known(studio.home, first, studio.files, Definitions(CATALOG, studio.rules, ()))
    assert (len(known.unbuilt.built), len(known.unbuilt.new)) == (2, 3), built
    second = studio.build(as_of)
    touched = 0
    with opened(second) as batch:
        owners = batch.execute(OWNERS).fetchall()
        for key, person in random.Random(seed).sample(owners, k=70):
            engine = known.engine(key)
            touched += engine is known.made
            assert (key, person) in engine.rows(OWNERS)
            for table in TABLES:
                found = engine.rows(table, {"person": person})
                assert found == batch.execute(table, {"person": person}).fetchall(), (key, table)
    known.unbuilt.connection.close()
    assert touched > 20


@pytest.mark.slow
def test_a_coupon_that_is_named_by_its_id_is_known_to_a_question_about_a_person(tmp_path: Path) -> None:
    """It hangs together with nobody, so it is read for everybody."""
    studio = Workshop(Home(tmp_path / "home").ensure(), CATALOG, {"idle": IDLE_SQL}, keeps_sql=True)

    def told(kind: str, day: int, seats: int) -> dict[str, Any]:
        return stripe_event(
            f"customer.subscription.{kind}", day, subscription("live", quantity=seats, discounts=[by_id("half")])
        )

    studio.land([told("created", 1, 1), *coupons()], STRIPE)
    file = studio.build(NOW)
    studio.land([told("updated", 5, 3)], STRIPE)
    known = read_known(studio.home, file, studio.files, Definitions(CATALOG, studio.rules, ()))
    key, _ = known.identifier("stripe_id:cus_live")
    found = known.engine(key).rows("select value from person_property where property = 'mrr' order by valid_from")
    known.unbuilt.connection.close()
    assert found == [("14.5",), ("43.5",)]
