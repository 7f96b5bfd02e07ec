"""A simulated world is decided by its arguments, and its files say what its truth says."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from ingest.events import land_files
from ingest.options import LandOptions, Writer
from ingest.simulator.breakage import APP_BREAKAGES, envelope_breakages
from ingest.simulator.catalog import KINDS
from ingest.simulator.people import CHUNK
from ingest.simulator.simulate import Arguments, simulate
from models.errors import UsageError
from pipeline.project import init_project
from tests.ingest.landings import UTC
from tests.ingest.simulator.worlds import DAYS, app_events, calls, contents, deliveries, raw_lines, truth, world
from warehouse.definitions import load_definitions
from warehouse.home import Home

SERVICES = ("segment", "stripe", "meta")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of 200 persons."""
    return world(tmp_path_factory.mktemp("worlds") / "small")


def test_equal_arguments_give_equal_bytes(small: Path, tmp_path: Path) -> None:
    """All of the folder, truth and manifest included; another seed gives another world."""
    assert contents(world(tmp_path / "again")) == contents(small)
    assert contents(world(tmp_path / "other", seed=12))["app/2025-11.jsonl"] != contents(small)["app/2025-11.jsonl"]


def test_fewer_persons_are_the_beginning_of_more(small: Path, tmp_path: Path) -> None:
    """The first 100 persons do and pay the same whether they are 100 or 200."""
    fewer = world(tmp_path / "fewer", 100)
    for table in ("person", "identifier", "segment_stay", "subscription_day"):
        rows = truth(fewer, f"select * from {table} order by all")
        assert rows
        assert rows == truth(small, f"select * from {table} where person < 100 order by all")
    for kind in ("app", *SERVICES):
        lines = raw_lines(fewer, kind)
        assert lines
        assert Counter(lines) <= Counter(raw_lines(small, kind))


def test_every_file_says_what_the_truth_counts(small: Path) -> None:
    """Lines, events without repeats, repeats and broken lines of each kind of file."""
    app = [event["eventId"] for event in app_events(small)]
    segment = [call["messageId"] for call in calls(small)]
    stripe = [delivery["body"]["id"] for delivery in deliveries(small, "stripe")]
    for kind, ids in (("app", app), ("segment", segment), ("stripe", stripe)):
        ((lines, events, duplicates, malformed),) = truth(
            small, f"select lines, events, duplicates, malformed from delivery_count where kind = '{kind}'"
        )
        assert (len(set(ids)), len(ids) - len(set(ids))) == (events, duplicates)
        assert duplicates > 0
        assert len(raw_lines(small, kind)) == lines
        if kind != "segment":
            assert lines == events + duplicates + malformed
    assert truth(small, "select source, sum(events)::bigint from event_count group by all order by all") == [
        ({"meta": "meta_pixel"}.get(kind, kind), events)
        for kind, events in truth(small, "select kind, events from delivery_count order by kind")
    ]


def test_the_truth_counts_events_by_type_and_day(small: Path) -> None:
    """The day is that of the corrected time, whatever the client's clock said and whenever the event came in."""
    days: Counter[tuple[str, date]] = Counter()
    for event in {event["eventId"]: event for event in reversed(list(app_events(small)))}.values():
        sent, received, said = (datetime.fromisoformat(event[key]) for key in ("sentAt", "receivedAt", "timestamp"))
        days[event["eventType"], (received - (sent - said)).date()] += 1
    assert dict(days) == {
        (event_type, day): count
        for event_type, day, count in truth(
            small, "select event_type, day, events from event_count where source = 'app'"
        )
    }


def test_all_ways_to_be_broken_are_there(small: Path) -> None:
    """Each reason stands at least once in each kind of file."""
    envelope = sorted(reason for reason, _ in envelope_breakages("{}", "{}"))
    for kind in ("app", *SERVICES):
        reasons = [reason for (reason,) in truth(small, f"select reason from malformed_count where kind = '{kind}'")]
        assert reasons == (sorted(reason for reason, _ in APP_BREAKAGES) if kind == "app" else envelope)


def test_everything_is_received_in_the_month_of_its_file_and_before_the_end(small: Path) -> None:
    """No delivery before the beginning or after the end."""
    begin, end = datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 1, 29, tzinfo=UTC)
    assert json.loads((small / "manifest.json").read_text())["as_of"] == "2026-01-29T00:00:00Z"
    for kind in SERVICES:
        for delivery in deliveries(small, kind):
            assert begin <= datetime.fromisoformat(delivery["received_at"]) < end
    for path in (small / "app").iterdir():
        lines = [line for line in path.read_bytes().splitlines() if b"receivedAt" in line]
        assert {json.loads(line)["receivedAt"][:7] for line in lines} == {path.stem}


def test_some_deliveries_are_late_and_some_out_of_order(small: Path) -> None:
    """Hours after they were sent, and after events that happened later."""
    delays = [
        datetime.fromisoformat(delivery["received_at"]).timestamp() - delivery["body"]["created"]
        for delivery in deliveries(small, "stripe")
    ]
    created = [delivery["body"]["created"] for delivery in deliveries(small, "stripe")]
    assert min(delays) >= 0
    assert any(delay > 3600 for delay in delays)
    assert created != sorted(created)


@pytest.mark.parametrize(("persons", "days"), [(200, DAYS), pytest.param(CHUNK + 200, 365, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("kind", "writer"), [("app", "events"), *((kind, kind) for kind in SERVICES)])
def test_landing_counts_what_the_truth_says(
    kind: str, writer: Writer, persons: int, days: int, tmp_path: Path, home: Home
) -> None:
    """Of every kind of file: records = landed + duplicate + quarantined, each as promised, and for the same reasons."""
    folder = world(tmp_path / "world", persons, days=days)
    paths = sorted((folder / kind).iterdir())
    summary = land_files(home, paths, LandOptions(writer=writer, threads=1), now=datetime(2026, 10, 1, tzinfo=UTC))
    ((events, duplicates, malformed),) = truth(
        folder, f"select events, duplicates, malformed from delivery_count where kind = '{kind}'"
    )
    assert summary.rows_in == events + duplicates + malformed
    assert summary.quarantined == malformed
    assert dict(summary.reasons) == dict(
        truth(folder, f"select reason, lines from malformed_count where kind = '{kind}'")
    )
    # Copies of Meta's events all land; which of them counts is found by the build.
    if kind != "meta":
        assert (summary.landed, summary.duplicate) == (events, duplicates)


def test_the_starter_catalog_knows_every_act(tmp_path: Path) -> None:
    """It agrees with the world on which acts are actions, on which cohorts and stays rest."""
    init_project(tmp_path)
    catalog = load_definitions(tmp_path / "definitions").catalog
    assert {kind.event_type: kind.is_action for kind in KINDS} == {
        kind.event_type: catalog.events[kind.event_type].is_action for kind in KINDS
    }


def test_the_starter_catalog_names_what_meta_is_told(small: Path, tmp_path: Path) -> None:
    """Nothing that an advertiser's world sends to Meta is taken for an unknown event type."""
    init_project(tmp_path)
    catalog = load_definitions(tmp_path / "definitions").catalog
    told = {event["event_name"].lower() for sent in deliveries(small, "meta") for event in sent["body"]["data"]}
    assert {"purchase", "lead"} <= told <= catalog.events.keys()
    assert all(catalog.events[name].category in ("acquisition", "monetization") for name in told)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (Arguments(0, 365, 1), "--persons is 0, not a number from 1 to 100000000"),
        (Arguments(10, 0, 1), "--days is 0, not a number from 1 to 3650"),
        (Arguments(10, 365, -1), "--seed is -1, not a number from 0 to 9223372036854775807"),
        (Arguments(10, 365, 1, date(1999, 1, 1)), "the days must lie between 2000-01-01 and 2199-12-31"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: Arguments, said: str, tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(UsageError, match=said):
        simulate(arguments, tmp_path / "world")
    assert not (tmp_path / "world").exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    """What is there stays."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not an empty folder"):
        simulate(Arguments(10, 30, 1), tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


@pytest.mark.parametrize("days", [1, 8])
def test_a_short_world_is_a_world(days: int, tmp_path: Path) -> None:
    """Even if nobody has time to pay."""
    assert simulate(Arguments(30, days, 5), tmp_path / "world")["truth"]["person"] == 30
