"""Writes what is true as Parquet, chunk by chunk; what is small is counted and written at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.simulator.acts import Acts
from ingest.simulator.catalog import KINDS
from ingest.simulator.cohorts import Cohorts
from ingest.simulator.deliveries import Tally
from ingest.simulator.identifiers import Owned
from ingest.simulator.money_lines import SCHEMA as MONEY_LINE
from ingest.simulator.people import People
from ingest.simulator.season import DAY, SECOND, Season
from ingest.simulator.stays import FOREVER, Stay
from ingest.simulator.subscription_days import MRR, mrr_by_day
from ingest.simulator.subscription_days import SCHEMA as SUBSCRIPTION_DAY

_TIME = pa.timestamp("ms", tz="UTC")
PERSON = pa.schema(
    [
        ("person", pa.int64()),
        ("user_id", pa.string()),
        ("is_bot", pa.bool_()),
        ("first_at", _TIME),
        ("signup_at", _TIME),
    ]
)
IDENTIFIER = pa.schema(
    [("person", pa.int64()), ("type", pa.string()), ("value", pa.string()), ("is_shared", pa.bool_())]
)
SEGMENT_STAY = pa.schema(
    [("segment_id", pa.string()), ("person", pa.int64()), ("entered_at", _TIME), ("exited_at", _TIME)]
)
EVENT_COUNT = pa.schema(
    [("source", pa.string()), ("event_type", pa.string()), ("day", pa.date32()), ("events", pa.int64())]
)
MRR_DAY = pa.schema([("day", pa.date32()), ("currency", pa.string()), ("mrr", MRR)])
DELIVERY_COUNT = pa.schema(
    [("kind", pa.string()), *((name, pa.int64()) for name in ("lines", "events", "duplicates", "malformed"))]
)
MALFORMED_COUNT = pa.schema([("kind", pa.string()), ("reason", pa.string()), ("lines", pa.int64())])
_GROWING = {
    "person": PERSON,
    "identifier": IDENTIFIER,
    "subscription_day": SUBSCRIPTION_DAY,
    "money_line": MONEY_LINE,
    "segment_stay": SEGMENT_STAY,
}


class TruthFiles:
    """The folder of the truth; ``rows`` counts what was written to each file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        folder.mkdir(parents=True)
        self._writers = {
            name: self._open.enter_context(pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd"))
            for name, schema in _GROWING.items()
        }
        self.rows: Counter[str] = Counter()

    def __enter__(self) -> TruthFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def append(self, name: str, table: pa.Table) -> None:
        """Add the rows of a chunk to one of the files that grow."""
        self._writers[name].write_table(table)
        self.rows[name] += len(table)

    def write(self, name: str, table: pa.Table) -> None:
        """Write a whole file."""
        pq.write_table(table, self._folder / f"{name}.parquet", compression="zstd")
        self.rows[name] = len(table)


def person_table(people: People) -> pa.Table:
    """Every person of a chunk."""
    signed_up = people.signed_up.tolist()
    user_ids = [user_id if has else None for user_id, has in zip(people.user_ids, signed_up, strict=True)]
    signup_at = [at if has else None for at, has in zip(people.signup_at.tolist(), signed_up, strict=True)]
    columns = (people.numbers.tolist(), user_ids, people.is_bot.tolist(), people.first_at.tolist(), signup_at)
    return _table(zip(*columns, strict=True), PERSON)


def identifier_table(owned: Iterable[Owned]) -> pa.Table:
    """Every identifier of a chunk."""
    return _table(owned, IDENTIFIER)


def stay_table(found: Iterable[Stay]) -> pa.Table:
    """Every stay of a chunk."""
    rows = ((segment, number, since, None if until == FOREVER else until) for segment, number, since, until in found)
    return _table(rows, SEGMENT_STAY)


def _table(rows: Iterable[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


class Counts:
    """What is summed over all chunks."""

    def __init__(self) -> None:
        self.events: Counter[tuple[str, str, int]] = Counter()
        self.mrr: dict[tuple[date, str], Decimal] = {}
        self.tallies: dict[str, Tally] = {}
        self.cohorts = Cohorts()

    def add_acts(self, source: str, acts: Acts) -> None:
        """Count acts by type and day."""
        pairs, counts = np.unique(np.stack((acts.kind, acts.at // DAY)), axis=1, return_counts=True)
        for kind, day, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
            self.events[source, KINDS[kind].event_type, day] += count

    def add_events(self, source: str, told: Iterable[tuple[str, int]]) -> None:
        """Count events, given as their types and seconds."""
        self.events.update((source, type_.lower(), second * SECOND // DAY) for type_, second in told)

    def add_tally(self, kind: str, tally: Tally) -> None:
        """Count what stands in the files of a kind."""
        self.tallies.setdefault(kind, Tally()).add(tally)

    def add_mrr(self, subscription_days: pa.Table) -> None:
        """Add up MRR by day and currency."""
        for key, mrr in mrr_by_day(subscription_days):
            self.mrr[key] = self.mrr.get(key, Decimal(0)) + mrr

    def write(self, truth: TruthFiles, season: Season) -> None:
        """Write the sums."""
        events = ((source, type_, day, count) for (source, type_, day), count in sorted(self.events.items()))
        truth.write("event_count", _table(events, EVENT_COUNT))
        money = ((day, currency, mrr) for (day, currency), mrr in sorted(self.mrr.items()))
        truth.write("mrr_day", _table(money, MRR_DAY))
        truth.write("cohort", self.cohorts.table(season))
        tallies = (
            (kind, tally.lines, tally.events, tally.duplicates, sum(tally.malformed.values()))
            for kind, tally in self.tallies.items()
        )
        truth.write("delivery_count", _table(tallies, DELIVERY_COUNT))
        broken = ((kind, *pair) for kind, tally in self.tallies.items() for pair in sorted(tally.malformed.items()))
        truth.write("malformed_count", _table(broken, MALFORMED_COUNT))
