"""The truth about subscriptions: what each was at the end of each day (UTC), and its monthly recurring revenue then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa

from ingest.simulator.billing import Billing
from ingest.simulator.chance import Ints
from ingest.simulator.ledger import Subscription, Told
from ingest.simulator.season import DAY, SECOND, Season

MRR = pa.decimal128(18, 6)
SCHEMA = pa.schema(
    [
        ("subscription_id", pa.string()),
        ("person", pa.int64()),
        ("day", pa.date32()),
        ("status", pa.string()),
        ("plan", pa.string()),
        ("billing_interval", pa.string()),
        ("quantity", pa.int64()),
        ("currency", pa.string()),
        ("mrr", MRR),
    ]
)
_SECONDS_A_DAY = DAY // SECOND


def subscription_days(season: Season, billing: Billing) -> pa.Table:
    """One row per subscription and day, from the day it was made to the day it ended, that day included."""
    states: list[tuple[int, Subscription]] = []
    rows: list[Ints] = []
    days: list[Ints] = []
    for told in billing.told.values():
        for changes in _changes(told):
            numbers, of_days = _last_of_days(changes, season.end // DAY)
            rows.append(numbers + len(states))
            days.append(of_days)
            states += changes
    columns = {
        "subscription_id": pa.array([state.subscription_id for _, state in states], pa.string()),
        "person": pa.array([state.customer.person for _, state in states], pa.int64()),
        "status": pa.array([state.status for _, state in states], pa.string()),
        "plan": pa.array([state.price.product.name for _, state in states], pa.string()),
        "billing_interval": pa.array([state.price.interval for _, state in states], pa.string()),
        "quantity": pa.array([state.quantity for _, state in states], pa.int64()),
        "currency": pa.array([state.price.currency for _, state in states], pa.string()),
        "mrr": pa.array([state.mrr(at) for at, state in states], MRR),
    }
    positions = pa.array(np.concatenate([np.empty(0, np.int64), *rows]))
    taken = {name: column.take(positions) for name, column in columns.items()}
    taken["day"] = pa.array(np.concatenate([np.empty(0, np.int64), *days]).astype(np.int32)).cast(pa.date32())
    return pa.table(taken).select(SCHEMA.names).cast(SCHEMA)


def mrr_by_day(table: pa.Table) -> Iterator[tuple[tuple[date, str], Decimal]]:
    """Day and currency, and the sum of ``subscription_days`` there."""
    summed = table.group_by(["day", "currency"]).aggregate([("mrr", "sum")]).to_pylist()
    for row in summed:
        yield (row["day"], row["currency"]), row["mrr_sum"]


def _changes(told: Iterable[Told]) -> Iterator[list[tuple[int, Subscription]]]:
    """For each subscription its states and the seconds from which on they held."""
    by_id: dict[str, list[tuple[int, Subscription]]] = {}
    for event in told:
        if isinstance(event.what, Subscription):
            by_id.setdefault(event.what.subscription_id, []).append((event.created, event.what))
    for changes in by_id.values():
        end = changes[0][1].discount_end
        before = [state for at, state in changes if end is not None and at < end]
        if end is not None and before and before[-1].ended_at is None:
            # The end of a discount is no event, but it moves MRR.
            changes.insert(len(before), (end, before[-1]))
        yield changes


def _last_of_days(changes: list[tuple[int, Subscription]], end_day: int) -> tuple[Ints, Ints]:
    """The position of the state that held at the end of each day, and the day."""
    seconds = np.array([at for at, _ in changes])
    ended_at = changes[-1][1].ended_at
    last = end_day - 1 if ended_at is None else min(ended_at // _SECONDS_A_DAY, end_day - 1)
    days = np.arange(seconds[0] // _SECONDS_A_DAY, last + 1)
    return np.searchsorted(seconds, (days + 1) * _SECONDS_A_DAY, side="left") - 1, days
