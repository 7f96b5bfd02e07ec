"""What was known at a past moment: the tables of what had been received by then, and nothing else."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.landing import EVENT, STRIPE
from tests.dbt.builds import delivery, hashes, opened
from tests.dbt.definitions import stripe_workshop
from tests.dbt.sales import Sales
from tests.dbt.stripes import day, event, subscription


def told_late(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Random deliveries of Stripe and events, many of which arrive days after they were; some do not say when."""
    chance = random.Random(seed)
    waits = (None, timedelta(), timedelta(hours=7), timedelta(days=3), timedelta(days=20))

    def received(made: Any) -> Any:
        wait = chance.choice(waits)
        return None if wait is None else made + wait

    sales = [
        row if row["kind"] == "object" else row | {"received_at": received(row["created_at"])}
        for row in Sales(seed=seed, subscriptions=40, customers=15).deliveries()
    ]
    events = [
        delivery(
            event_id=f"e{number}",
            event_type="video_rendered",
            occurred_at=(made := day(chance.randrange(40))),
            received_at=received(made),
            user_id=f"u{number % 7}",
            stripe_id=f"cus_{number % 15}",
        )
        for number in range(60)
    ]
    return sales, events


@pytest.mark.slow
@pytest.mark.parametrize("then", [9.5, 25])
def test_what_was_known_is_what_a_build_of_what_had_come_says(then: float, tmp_path: Path) -> None:
    """Every table of a build over the deliveries received by then, as of then."""
    moment, (sales, events) = day(then), told_late(int(then))
    everything, received = stripe_workshop(tmp_path / "everything"), stripe_workshop(tmp_path / "received")
    for rows, entity in ((sales, STRIPE), (events, EVENT)):
        everything.land(rows, entity)
        first = [
            row
            for row in rows
            if next(filter(None, map(row.get, ("received_at", "fetched_at", "created_at", "occurred_at")))) <= moment
        ]
        assert 0 < len(first) < len(rows)
        received.land(first, entity)
    everything.known_at = moment
    assert hashes(everything.build(moment)) == hashes(received.build(moment))


@pytest.mark.slow
def test_a_number_that_was_told_stays_told(tmp_path: Path) -> None:
    """A cancellation that is heard of in March changes February's end, but not what was said of it in February."""
    shop = stripe_workshop(tmp_path / "home")
    ended = event(
        "customer.subscription.deleted", 20, subscription(status="canceled", ended_at=int(day(20).timestamp()))
    )
    shop.land([event("customer.subscription.created", 1, subscription()), ended | {"received_at": day(40)}], STRIPE)
    said = {}
    for name, known_at in (("then", day(31)), ("now", None)):
        shop.known_at = known_at
        with opened(shop.build(known_at or day(50), full=True)) as connection:
            said[name] = connection.execute(
                "select coalesce(sum(mrr), 0)::int from mrr_movement where policy = 'gdp' and day < date '2026-02-01'"
            ).fetchall()[0][0]
    assert said == {"then": 29, "now": 0}
