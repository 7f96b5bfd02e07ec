"""Simulates the studio into a folder: deliveries of four systems, the truth, and a manifest that is written last."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ingest.simulator.app_files import app_acts, app_run
from ingest.simulator.behaviour import draw_acts
from ingest.simulator.billing import draw_billing
from ingest.simulator.chance import Chance
from ingest.simulator.deliveries import MonthlyFiles, Run
from ingest.simulator.identifiers import identifiers
from ingest.simulator.meta_files import conversions, meta_run
from ingest.simulator.money_lines import money_lines
from ingest.simulator.people import CHUNK, draw_people
from ingest.simulator.season import Season
from ingest.simulator.segment_files import segment_acts, segment_run
from ingest.simulator.stays import stays
from ingest.simulator.stripe_files import stripe_run
from ingest.simulator.subscription_days import subscription_days
from ingest.simulator.truth import Counts, TruthFiles, identifier_table, person_table, stay_table
from models.errors import UsageError

#: Goes up when the form of the files changes.
SCHEMA_VERSION = 1
KINDS = ("app", "segment", "stripe", "meta")
DEFAULT_START = date(2025, 10, 1)
MOST_PERSONS, MOST_DAYS, LAST_DAY = 100_000_000, 3650, date(2199, 12, 31)


@dataclass(frozen=True)
class Arguments:
    """What decides every byte of the folder."""

    persons: int
    days: int
    seed: int
    start: date = DEFAULT_START

    def check(self) -> None:
        """See that the world can be drawn.

        Raises:
            UsageError: naming what is out of range.
        """
        for name, value, least, most in (
            ("persons", self.persons, 1, MOST_PERSONS),
            ("days", self.days, 1, MOST_DAYS),
            ("seed", self.seed, 0, 2**63 - 1),
        ):
            if not least <= value <= most:
                raise UsageError(f"--{name} is {value}, not a number from {least} to {most}")
        if self.start.year < 2000 or self.start > LAST_DAY - timedelta(days=self.days):
            raise UsageError(f"--start {self.start}: the days must lie between 2000-01-01 and {LAST_DAY}")


def simulate(arguments: Arguments, folder: Path, *, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Write the files of a world.

    Args:
        arguments: what the world is drawn from; equal arguments give equal bytes.
        folder: where to; it must not exist or be empty. Without ``manifest.json`` it is not complete.
        progress: called with the number of persons done.

    Returns: what the manifest says.

    Raises:
        UsageError: if an argument is out of range or the folder is not empty.
    """
    arguments.check()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder: name one that does not exist yet")
    season, counts = Season(arguments.start, arguments.days), Counts()
    with ExitStack() as stack:
        files = {kind: stack.enter_context(MonthlyFiles(folder / kind)) for kind in KINDS}
        truth = stack.enter_context(TruthFiles(folder / "truth"))
        for first in range(0, arguments.persons, CHUNK):
            count = min(CHUNK, arguments.persons - first)
            for kind, run in _chunk(Chance(arguments.seed, first // CHUNK), season, count, truth, counts).items():
                files[kind].write(run)
                counts.add_tally(kind, run.tally)
            if progress:
                progress(first + count)
        counts.write(truth, season)
    manifest = _manifest(arguments, season, counts, truth)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _chunk(chance: Chance, season: Season, count: int, truth: TruthFiles, counts: Counts) -> Mapping[str, Run]:
    """Draw the persons of a chunk, note what is true of them, and tell it as each system would."""
    people = draw_people(chance, season, count)
    acts, billing = draw_acts(chance, season, people), draw_billing(chance, season, people)
    app, segment = app_acts(acts), segment_acts(acts)
    stripe, stripe_events = stripe_run(chance, season, people, billing)
    meta = conversions(chance, season, people, acts, billing)
    days = subscription_days(season, billing)
    truth.append("person", person_table(people))
    truth.append("identifier", identifier_table(identifiers(people, app, segment, billing, meta)))
    truth.append("subscription_day", days)
    truth.append("money_line", money_lines(season, billing))
    truth.append("segment_stay", stay_table(stays(season, people, acts, billing)))
    counts.add_acts("app", app)
    counts.add_acts("segment", segment)
    counts.add_events("stripe", stripe_events)
    counts.add_events("meta_pixel", ((one.name, one.at) for one in meta))
    counts.add_mrr(days)
    counts.cohorts.add(people, acts)
    return {
        "app": app_run(chance, season, people, app),
        "segment": segment_run(chance, season, people, segment),
        "stripe": stripe,
        "meta": meta_run(chance, season, people, meta),
    }


def _manifest(arguments: Arguments, season: Season, counts: Counts, truth: TruthFiles) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "arguments": {
            "persons": arguments.persons,
            "days": arguments.days,
            "seed": arguments.seed,
            "start": arguments.start.isoformat(),
        },
        "as_of": season.as_of.isoformat().replace("+00:00", "Z"),
        "deliveries": {
            kind: {
                "lines": tally.lines,
                "events": tally.events,
                "duplicates": tally.duplicates,
                "malformed": dict(sorted(tally.malformed.items())),
            }
            for kind, tally in counts.tallies.items()
        },
        "truth": dict(sorted(truth.rows.items())),
    }
