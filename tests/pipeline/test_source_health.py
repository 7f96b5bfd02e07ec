"""How each source is doing, on a few rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ingest.options import LandOptions
from ingest.replay import replay
from models import limits
from pipeline.source_health import (
    PublishedSource,
    SourceHealth,
    health_tables,
    published_sources,
    source_health,
    type_facts,
)
from pipeline.stripe_health import STRIPE_OBJECTS
from tests.ingest.landings import NOW, event, jsonl, land
from tests.ingest.stripes import CREATED, land_stripe, stripe_event, stripe_object
from warehouse.duck import connect
from warehouse.home import Home
from warehouse.reader import Warehouse

AS_OF = datetime(2026, 3, 10, tzinfo=timezone.utc)
LAST = AS_OF - timedelta(hours=1)
DAY = timedelta(days=1)
MODELS = Path(__file__).parents[2] / "dbt_project" / "models" / "intermediate" / "stripe"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse of two empty tables."""
    with connect() as connection:
        connection.execute(
            "create table event (source varchar, event_type varchar, occurred_at timestamptz,"
            " received_at timestamptz, landed_at timestamptz)"
        )
        connection.execute("create table event_conflict (source varchar)")
        yield Warehouse(connection, tmp_path, "1", AS_OF)


def tell(
    warehouse: Warehouse,
    ago: timedelta,
    event_type: str = "rendered",
    source: str = "app",
    late: timedelta | None = None,
) -> None:
    """An event that happened some time before the last one, and was received that late."""
    at = LAST - ago
    row = (source, event_type, at, None if late is None else at + late, NOW)
    warehouse.connection.execute("insert into event values (?, ?, ?, ?, ?)", row)


def test_volumes_end_with_the_last_event(warehouse: Warehouse) -> None:
    """Of each source by itself, up to as_of; the bounds are open below."""
    for ago in (timedelta(), DAY - timedelta(seconds=1), DAY, 7 * DAY, 8 * DAY, -2 * DAY):
        tell(warehouse, ago)
    tell(warehouse, 30 * DAY, source="custom")
    warehouse.connection.execute("insert into event_conflict values ('app'), ('app')")
    assert published_sources(warehouse, {"rendered": None}) == {
        "app": PublishedSource(LAST, NOW, events=5, events_last_24h=2, events_last_7d=3, conflicts=2),
        "custom": PublishedSource(LAST - 30 * DAY, NOW, events=1, events_last_24h=1, events_last_7d=1),
    }


def test_delays_are_those_of_the_newest_receipts(warehouse: Warehouse) -> None:
    """Late events of the last 24 hours count, whenever they happened; what was received before them does not."""
    for ago, late in ((timedelta(), 2), (timedelta(hours=5), 4), (6 * DAY, 60)):
        tell(warehouse, ago, late=timedelta(seconds=late))
    tell(warehouse, 5 * DAY, late=5 * DAY - timedelta(hours=2))
    delays = published_sources(warehouse, {"rendered": None})["app"].delays
    assert delays is not None
    assert delays[0] == 4
    assert delays[1] == pytest.approx(4 + 0.98 * (5 * 86_400 - 7_200 - 4))


def test_types_outside_the_catalog_are_named_by_source(warehouse: Warehouse) -> None:
    """Those with most events first, at most ten of a source."""
    for number in range(12):
        tell(warehouse, timedelta(), f"odd_{number:02}", source="segment")
    tell(warehouse, timedelta(), "odd_11", source="segment")
    tell(warehouse, timedelta())
    found = published_sources(warehouse, {"rendered": None})
    assert found["app"].unlisted_types == {}
    assert list(found["segment"].unlisted_types.items()) == [
        ("odd_11", 2),
        *((f"odd_{number:02}", 1) for number in range(9)),
    ]


def test_files_count_before_anything_is_built(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the source that a file's rows have where they name none; what landed after all waits no more."""
    land(home, jsonl(event(), event(eventId="e2"), event(eventId="e3", personId="x" * 300), "{"))
    land(home, b"user,event,time\nada,ordered,2026-01-30T12:00:00Z\n", "log.csv")
    app, custom = source_health(home, {})
    assert (app.source, app.landed, app.quarantined, app.quarantined_share) == ("app", 2, 2, 0.5)
    assert (custom.source, custom.landed, custom.quarantined_share) == ("custom", 1, 0)
    assert (app.last_landed_at, app.published) == (NOW, PublishedSource())
    monkeypatch.setattr(limits, "MAX_ID_BYTES", 1000)
    replay(home, now=NOW + DAY, options=LandOptions(threads=1))
    app, _ = source_health(home, {})
    assert (app.landed, app.quarantined, app.last_landed_at) == (3, 1, NOW + DAY)


def test_deliveries_of_stripe_say_how_late_they_are_and_what_nobody_reads(home: Home) -> None:
    """Delays of its events from their creation to their receipt; W14: types that no model reads are counted."""
    land_stripe(
        home,
        *(
            {
                "received_at": CREATED + late,
                "body": stripe_event(id=f"evt_{late}", type=event_type, data={"object": made}),
            }
            for late, event_type, made in (
                (1, "customer.updated", stripe_object()),
                (2, "price.created", stripe_object(id="price_1", object="price")),
                (3, "price.created", stripe_object(id="price_2", object="price")),
            )
        ),
        stripe_object(id="prod_1", object="product"),
    )
    (stripe,) = source_health(home, {})
    assert stripe.published.delays == (2, pytest.approx(2.98))
    assert stripe.unread_types == {"price.created": 2, "product": 1}
    assert stripe.landed == 4


def test_an_event_of_stripe_that_is_told_with_other_data_is_a_conflict(home: Home) -> None:
    """W17: the first telling counts; order of keys, pending webhooks, another version of the API say nothing else."""
    again = {"object": {"livemode": True, "object": "customer", "id": "cus_1"}}
    other = {"object": stripe_object(name="Ada")}
    land_stripe(
        home,
        *(stripe_event(pending_webhooks=count) for count in (2, 1)),
        stripe_event(data=again),
        stripe_event(data=other, api_version="2026-09-30"),
        stripe_event(id="evt_2", data=other),
    )
    assert source_health(home, {})[0].published.conflicts == 0
    land_stripe(home, stripe_event(data=other), stripe_event(data={"object": stripe_object(name="Grace")}))
    land_stripe(home, stripe_event(data=other, pending_webhooks=7), stripe_event(data=other, account="acct_1"))
    assert source_health(home, {})[0].published.conflicts == 2


def test_the_objects_that_are_read_are_those_of_the_models() -> None:
    """Each object type that a model of Stripe names."""
    text = "".join(path.read_text(encoding="utf-8") for path in MODELS.glob("*.sql"))
    named = re.findall(r"object_type (?:= |in \()((?:'[a-z._]+'(?:, )?)+)", text)
    assert {one for found in named for one in re.findall(r"'([a-z._]+)'", found)} == STRIPE_OBJECTS


def test_what_a_person_reads() -> None:
    """Two tables, and a line for each source whose types nobody expected."""
    health = SourceHealth(
        source="stripe",
        last_landed_at=NOW,
        landed=3,
        quarantined=1,
        published=PublishedSource(LAST, NOW, 3, 2, 3, (1.5, 9.0), 1, {"odd": 1200}),
        unread_types={"price.created": 2},
    )
    came, well = health_tables([health])
    assert came.rows == (("stripe", LAST, NOW, 3, 2, 3),)
    assert well.rows == (("stripe", 1.5, 9.0, 3, 0.25, 1),)
    assert type_facts([health]) == [
        ("unlisted", "event types of stripe that the catalog does not name: odd (1,200)"),
        ("unread", "newest types of stripe that no table is made from: price.created (2)"),
    ]
