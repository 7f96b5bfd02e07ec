"""Segments that ask for other segments: in which order they follow from each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from models.errors import UsageError, nearest
from models.segment import SegmentDefinition, SegmentRule, children

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONDAY = 0


def cohorts_of(rules: Iterable[SegmentRule]) -> list[str]:
    """Every cohort that rules name, at any depth: segments and weeks of signup."""
    found: list[str] = []
    for rule in rules:
        if rule.cohort_id is not None:
            found.append(rule.cohort_id)
        found += cohorts_of(children(rule))
    return list(dict.fromkeys(found))


def is_week(cohort_id: str) -> bool:
    """Whether a cohort is a week of signup: the date of a Monday."""
    try:
        return bool(_DAY.fullmatch(cohort_id)) and date.fromisoformat(cohort_id).weekday() == _MONDAY
    except ValueError:
        return False


def in_order(definitions: Iterable[SegmentDefinition], place_of: Callable[[str, str], str] | None = None) -> list[str]:
    """The ids of segments, each after those that it asks for.

    Args:
        definitions: all segments.
        place_of: where a segment asks for a cohort, for messages.

    Raises:
        UsageError: for a segment that is not defined, or one that asks for itself.
    """
    by_id = {definition.segment_id: definition for definition in definitions}
    done: dict[str, None] = {}
    for segment_id in by_id:
        _visit(segment_id, by_id, (), done, place_of or (lambda _asking, _asked: ""))
    return list(done)


def _visit(
    segment_id: str,
    by_id: Mapping[str, SegmentDefinition],
    path: tuple[str, ...],
    done: dict[str, None],
    place_of: Callable[[str, str], str],
) -> None:
    if segment_id in done:
        return
    if segment_id in path or segment_id not in by_id:
        place = place_of(path[-1], segment_id)
        raise UsageError((f"{place}: " if place else "") + _refusal(segment_id, by_id, path))
    for cohort_id in cohorts_of(by_id[segment_id].rules):
        if not is_week(cohort_id):
            _visit(cohort_id, by_id, (*path, segment_id), done, place_of)
    done[segment_id] = None


def _refusal(segment_id: str, by_id: Mapping[str, SegmentDefinition], path: tuple[str, ...]) -> str:
    if segment_id in path:
        circle = " -> ".join((*path[path.index(segment_id) :], segment_id))
        return f"segments that ask for each other: {circle}"
    hint = nearest(segment_id, by_id)
    return f"cohort {segment_id!r} is neither a segment nor the Monday of a week such as 2026-01-05" + (
        f" ({hint})" if hint else ""
    )
