"""How what was told arrives: with a delay, sometimes late, sometimes twice, and a few lines broken; in a file a month.

A file holds one run of lines for each chunk of persons, each run in the order of receipt: so the files of fewer persons
are the beginnings of runs of the files of more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from ingest.simulator.chance import Chance, Ints
from ingest.simulator.season import HOUR, SECOND, Season
from ingest.simulator.texts import Texts

_LATE, _LATE_HOURS, _LATEST = 0.015, 9.0, 60 * HOUR
_REPEATED = 0.01


@dataclass(frozen=True)
class Arrivals:
    """When deliveries were received.

    Attributes:
        of: the position of what is delivered; repeats come after all firsts.
        received_at: in milliseconds; a repeat is received after its first.
        firsts: how many are no repeats.
    """

    of: Ints
    received_at: Ints
    firsts: int

    @property
    def sent_at(self) -> Ints:
        """When they were sent, by a right clock: in the millisecond of the first receipt, for the way takes no time.

        A repeat is the same body again and says what its first said.
        """
        return self.received_at[self.of]

    @property
    def repeats(self) -> int:
        """How many say again what was delivered before."""
        return len(self.of) - self.firsts


def arrivals(chance: Chance, purpose: str, season: Season, sent_at: Ints) -> Arrivals:
    """The receipts of what was sent at some times: all at or after these times and before the end."""
    count = len(sent_at)
    delay = chance.uniform(f"{purpose} latency", count, 40, 900)
    late = np.minimum(chance.waits(f"{purpose} late by", _LATE_HOURS * HOUR, count), _LATEST)
    delay += np.where(chance.happens(f"{purpose} late", count, _LATE), late, 0)
    received_at = np.minimum(sent_at + delay.astype(np.int64), season.end - 1)
    again = received_at + (chance.uniform(f"{purpose} again after", count, 1, 21_600) * SECOND).astype(np.int64)
    repeated = np.flatnonzero(chance.happens(f"{purpose} again", count, _REPEATED) & (again < season.end))
    return Arrivals(np.concatenate((np.arange(count), repeated)), np.concatenate((received_at, again[repeated])), count)


@dataclass
class Tally:
    """What stands in the files of one source."""

    lines: int = 0
    events: int = 0
    duplicates: int = 0
    malformed: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Count what another has counted."""
        self.lines += other.lines
        self.events += other.events
        self.duplicates += other.duplicates
        for reason, count in other.malformed.items():
            self.malformed[reason] = self.malformed.get(reason, 0) + count


@dataclass(frozen=True)
class Run:
    """What one source delivers of one chunk."""

    received_at: Ints
    lines: Texts
    broken_at: Ints
    broken: Sequence[bytes]
    tally: Tally


def run_of(arrived_at: Ints, lines: Texts, broken: tuple[Ints, list[tuple[str, bytes]]], tally: Tally) -> Run:
    """A run whose tally also counts its lines."""
    broken_at, texts = broken
    for reason, _ in texts:
        tally.malformed[reason] = tally.malformed.get(reason, 0) + 1
    tally.lines = len(lines) + len(texts)
    return Run(arrived_at, lines, broken_at, [text for _, text in texts], tally)


class MonthlyFiles:
    """Appends lines to the file of the month in which each was received."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._open = ExitStack()
        folder.mkdir(parents=True)

    def __enter__(self) -> MonthlyFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def write(self, run: Run) -> None:
        """Append a run."""
        order = np.argsort(run.received_at, kind="stable")
        months = run.received_at[order].astype("datetime64[ms]").astype("datetime64[M]")
        text = run.lines.take(pa.array(order))
        offsets, data = np.frombuffer(text.buffers()[1], dtype=np.int64), memoryview(text.buffers()[2] or b"")
        names, first = np.unique(months, return_index=True)
        for month, begin, end in zip(names, first, [*first[1:], len(order)], strict=True):
            self._file(str(month)).write(data[offsets[begin] : offsets[end]])
        for month, line in zip(run.broken_at.astype("datetime64[ms]").astype("datetime64[M]"), run.broken, strict=True):
            self._file(str(month)).write(line + b"\n")

    def _file(self, month: str) -> BinaryIO:
        if month not in self._files:
            path = self._folder / f"{month}.jsonl"
            self._files[month] = self._open.enter_context(path.open("wb"))
        return self._files[month]
