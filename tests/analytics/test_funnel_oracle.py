"""The funnel equals its oracle on random histories, in both forms."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import funnel
from analytics.funnel_stages import Form
from analytics.spec import make_spec
from tests.analytics.builders import DAY_0, Event, TinyWarehouse, event
from tests.analytics.oracles import Progress, funnel_numbers, funnel_progress

TYPES = ("a", "b", "c")
STAGES = ("a", "b", "c", "a|b", "b|c", "a|b|c")
SOURCES = ("google", "missing", None)


@st.composite
def histories(draw: st.DrawFn, *, persons: int = 6, hours: int = 6, events: int = 7) -> list[Event]:
    """Short histories on a coarse clock, so that ties and window boundaries are common."""
    rows = st.tuples(st.sampled_from(TYPES), st.integers(0, hours), st.sampled_from(SOURCES))
    return [
        event(f"p{person}", event_type, DAY_0 + timedelta(hours=hour), utm_source=source, event_id=f"{person}-{number}")
        for person in range(persons)
        for number, (event_type, hour, source) in enumerate(draw(st.lists(rows, max_size=events)))
    ]


moments = st.integers(0, 12).map(lambda half: DAY_0 + timedelta(minutes=30 * half))


@pytest.mark.parametrize("form", ["asof", "window"])
@given(
    events=histories(),
    stages=st.permutations(TYPES) | st.lists(st.sampled_from(STAGES), min_size=2, max_size=5),
    hours=st.integers(1, 4),
    as_of=moments,
    bounds=st.tuples(st.none() | moments, st.none() | moments),
)
@settings(max_examples=50)
def test_funnel_equals_its_oracle(
    form: Form,
    events: list[Event],
    stages: list[str],
    hours: int,
    as_of: datetime,
    bounds: tuple[datetime | None, datetime | None],
) -> None:
    """Counts, rates, times, maturity and the breakdown are those of trying everything."""
    start, end = bounds
    if start and end and start >= end:
        start, end = end, start + timedelta(minutes=1)
    start = min(start, as_of) if start else None
    # Stages have to exist for the report to take them, so one stranger did everything long ago.
    seen = [event("stranger", name, DAY_0 - timedelta(days=9), event_id=f"s-{name}") for name in TYPES]
    warehouse = TinyWarehouse([*events, *seen], as_of=as_of)
    spec = make_spec(funnel.FunnelSpec, stages=stages, window=f"{hours}h", by="utm_source", start=start, end=end)
    result = funnel.run(warehouse, spec, form=form)
    warehouse.close()

    progress = funnel_progress(
        [*events, *seen],
        [stage.split("|") for stage in stages],
        window_end=lambda moment: moment + timedelta(hours=hours),
        as_of=as_of,
        start=start,
        end=end,
    )
    assert _numbers(result) == funnel_numbers(progress.values(), len(stages))
    groups: dict[str | None, list[Progress]] = {}
    for one in progress.values():
        groups.setdefault(one.entry.utm_source, []).append(one)
    assert result.breakdown is not None
    assert {value: _numbers(part) for value, part in result.breakdown.items()} == {
        value: funnel_numbers(found, len(stages)) for value, found in groups.items()
    }


def _numbers(part: Any) -> dict[str, object]:
    later = part.stages[1:]
    return {
        "counts": part.counts,
        "mature": tuple(stage.count for stage in part.mature.stages),
        "immature": part.immature,
        "converted_early": part.converted_early,
        "dropoff_stage": part.dropoff_stage,
        "conversion_rate": part.conversion_rate,
        "median": [stage.median_seconds for stage in later],
        "p90": [_close(stage.p90_seconds) for stage in later],
        "median_from_previous": [stage.median_seconds_from_previous for stage in later],
        "p90_from_previous": [_close(stage.p90_seconds_from_previous) for stage in later],
    }


def _close(value: float | None) -> Any:
    return None if value is None else pytest.approx(value)
