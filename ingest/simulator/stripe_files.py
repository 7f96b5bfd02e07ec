"""Stripe's webhooks: one event a line, in its envelope; the older half of the time in the older shape of the API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ingest.simulator.billing import Billing, modern_from
from ingest.simulator.breakage import broken_lines, envelope_breakages
from ingest.simulator.chance import Chance
from ingest.simulator.deliveries import Run, Tally, arrivals, run_of
from ingest.simulator.people import People
from ingest.simulator.plans import PRICES, PRODUCTS
from ingest.simulator.season import SECOND, Season
from ingest.simulator.stripe_prices import Shape
from ingest.simulator.stripe_shapes import object_of, previous_attributes
from ingest.simulator.texts import dumps, iso_times, joined, picked

_SLOW, _SLOW_BY = 0.08, 90 * SECOND
_BREAKAGES = envelope_breakages(
    '{"id":"evt_broken","object":"event","type":"customer.created","created":1700000000,"data":{"object":{"id":"broken"}}}',
    '{"object":"event","type":"customer.created","created":1700000000,"data":{"object":{"id":"broken"}}}',
)

#: An event as it is known before it is written: its type and its second.
Signed = tuple[str, int]


def stripe_run(chance: Chance, season: Season, people: People, billing: Billing) -> tuple[Run, list[Signed]]:
    """What Stripe sends of a chunk, and the type and second of each event."""
    signed, bodies = [], []
    for type_, created, body in _events(chance, season, billing):
        signed.append((type_, created))
        bodies.append(body)
    created_at = np.array([created for _, created in signed], dtype=np.int64) * SECOND
    slow = chance.happens("stripe slow", len(signed), _SLOW)
    wait = np.where(slow, chance.waits("stripe slow by", float(_SLOW_BY), len(signed)), 900).astype(np.int64)
    arrived = arrivals(chance, "stripe", season, np.minimum(created_at + wait, season.end - 1))
    lines = joined(
        '{"received_at":"',
        iso_times(arrived.received_at),
        '","body":',
        picked(bodies, arrived.of),
        "}\n",
    )
    tally = Tally(events=len(signed), duplicates=arrived.repeats)
    return run_of(arrived.received_at, lines, broken_lines(people, _BREAKAGES, shift=15), tally), signed


def _events(chance: Chance, season: Season, billing: Billing) -> Iterator[tuple[str, int, str]]:
    if chance.chunk == 0:
        yield from _price_list(season)
    for told in billing.told.values():
        for number, event in enumerate(told):
            shape = shape_at(season, event.created)
            shown = object_of(event.what, shape, event.created)
            data = {"object": shown}
            if event.before is not None:
                before = object_of(event.before, shape, event.created)
                data["previous_attributes"] = previous_attributes(before, shown)
            name = f"{shown['id']}/{event.type}/{number}"
            yield event.type, event.created, _event(name, event.type, event.created, data, shape)


def _price_list(season: Season) -> Iterator[tuple[str, int, str]]:
    """The products and prices, made in the first minute."""
    created = season.begin // SECOND + 1
    for what in (*PRODUCTS, *PRICES.values()):
        shown = object_of(what, shape_at(season, created), created)
        type_ = f"{shown['object']}.created"
        yield type_, created, _event(shown["id"], type_, created, {"object": shown}, shape_at(season, created))


def shape_at(season: Season, second: int) -> Shape:
    """The shape in which Stripe writes an event: that of the version it was made under."""
    return Shape.NEW if second >= modern_from(season) else Shape.OLD


def _event(name: str, type_: str, created: int, data: dict[str, Any], shape: Shape) -> str:
    return dumps(
        {
            "id": f"evt_1{hashlib.blake2b(name.encode(), digest_size=11).hexdigest()}",
            "object": "event",
            "api_version": shape.value,
            "created": created,
            "data": data,
            "livemode": True,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": type_,
        }
    )
