"""Which deliveries count, in plain Python from the words: one body of each event, one copy of each match."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from tests.dbt.identities import Delivery


def winners_of(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Of several bodies with one key the smallest (received_at, body) wins; no time comes last."""
    best: dict[tuple[str, str], Delivery] = {}
    for delivery in deliveries:
        key = (delivery["source"], delivery["event_id"])
        if key not in best or rank(delivery) < rank(best[key]):
            best[key] = delivery
    return list(best.values())


def rank(delivery: Delivery) -> tuple[bool, float, int]:
    """The smallest of an event wins."""
    received = delivery["received_at"]
    return received is None, received.timestamp() if received else 0.0, delivery["body_key"]


def matches_of(events: Iterable[Delivery]) -> list[list[Delivery]]:
    """The copies of each Meta event, the one that counts first; one event lasts 48 hours from its first copy."""
    named: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (arrival_of(event), event["body_key"])):
        if event["source"] == "meta_pixel" and event["source_id"] and channel_of(event):
            named[event["event_type"], event["source_id"]].append(event)
    matches: list[list[Delivery]] = []
    for copies in named.values():
        start = None
        for copy in copies:
            if start is None or arrival_of(copy) - start >= timedelta(hours=48):
                start = arrival_of(copy)
                matches.append([])
            matches[-1].append(copy)
    return [_counted_first(match) for match in matches]


def _counted_first(match: list[Delivery]) -> list[Delivery]:
    for copy in match:
        if channel_of(copy) == "pixel" and arrival_of(copy) - arrival_of(match[0]) < timedelta(minutes=5):
            return [copy, *(other for other in match if other is not copy)]
    return match


def channel_of(event: Delivery) -> str | None:
    """Whether the pixel or a server sent it."""
    channel: str | None = json.loads(event["metadata"] or "{}").get("channel")
    return channel


def arrival_of(event: Delivery) -> datetime:
    """When it came, as far as that is known."""
    moment: datetime = event["received_at"] or event["occurred_at"]
    return moment
