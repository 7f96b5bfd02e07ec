"""Names that a report may use, and the nearest ones for a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analytics import dialect
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


def require_property(engine: Engine, name: str, event_types: Iterable[str]) -> None:
    """Refuse a property that no event of these types ever had.

    Raises:
        UsageError: naming the properties that it resembles.
    """
    wanted = tuple(dict.fromkeys(event_types))
    markers = ", ".join(f"$event_type_{number}" for number in range(len(wanted)))
    params = {f"event_type_{number}": event_type for number, event_type in enumerate(wanted)}
    events = f"from event where event_type in ({markers})"
    has = dialect.json_has("properties", "$property")
    if engine.rows(f"select 1 {events} and {has} limit 1", {**params, "property": dialect.json_member(name)}):
        return
    known = [row[0] for row in engine.rows(f"select distinct {dialect.json_names('properties')} {events}", params)]
    what = "|".join(wanted)
    hint = nearest(name, known) or "it has none"
    raise UsageError(f"no event {what} has a property {name!r} ({hint})")


def require_segments(engine: Engine, names: Sequence[str]) -> None:
    """Refuse segments that the build does not know.

    Raises:
        UsageError: naming the first unknown one and those it resembles.
    """
    known = segment_ids(engine)
    for name in names:
        if name not in known:
            raise UsageError(_unknown("segment", name, known, empty="no segment is defined"))


def require_past(engine: Engine, segment_id: str) -> None:
    """Refuse a segment that the build does not know, or of which it knows only who is in it now.

    Raises:
        UsageError: saying so.
    """
    require_segments(engine, [segment_id])
    if engine.rows(
        "select 1 from segment where segment_id = $segment_id and not has_history", {"segment_id": segment_id}
    ):
        raise UsageError(
            f"segment {segment_id!r} has no past: its query gives persons alone, so it can be asked as of"
            f" {engine.as_of.isoformat()}, the build's now, only"
        )


def segment_ids(engine: Engine) -> set[str]:
    """The segments of the build: those that were defined, whether or not anybody was ever in them."""
    return {row[0] for row in engine.rows("select segment_id from segment")}


def _unknown(what: str, name: str, known: Iterable[str], *, empty: str) -> str:
    return f"unknown {what} {name!r} ({nearest(name, known) or empty})"
