"""Names that a report may use, and the nearest ones for a name that does not exist."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from analytics.query import Engine
from models.errors import UsageError, nearest


def require_event_types(engine: Engine, names: Iterable[str], *, what: str) -> None:
    """Refuse event types of which no event ever landed.

    Raises:
        UsageError: naming the first unknown one and those it resembles.
    """
    wanted = tuple(dict.fromkeys(names))
    markers = ", ".join(f"$event_type_{number}" for number in range(len(wanted)))
    found = {
        name
        for (name,) in engine.rows(
            f"select distinct event_type from event where event_type in ({markers})",
            {f"event_type_{number}": name for number, name in enumerate(wanted)},
        )
    }
    for name in wanted:
        if name not in found:
            known = [row[0] for row in engine.rows("select distinct event_type from event")]
            raise UsageError(_unknown(what, name, known, empty="no event has landed yet"))


def require_segments(engine: Engine, names: Sequence[str]) -> None:
    """Refuse segments that the build does not know.

    Raises:
        UsageError: naming the first unknown one and those it resembles.
    """
    known = segment_ids(engine)
    for name in names:
        if name not in known:
            raise UsageError(_unknown("segment", name, known, empty="no segment is defined"))


def segment_ids(engine: Engine) -> set[str]:
    """The segments of the build: those that were defined, whether or not anybody was ever in them."""
    rows = engine.rows("select definition_hashes from build_info")
    defined = {name.removeprefix("segment:") for name in json.loads(rows[0][0]) if name.startswith("segment:")}
    return defined | {row[0] for row in engine.rows("select distinct segment_id from segment_stay")}


def _unknown(what: str, name: str, known: Iterable[str], *, empty: str) -> str:
    return f"unknown {what} {name!r} ({nearest(name, known) or empty})"
