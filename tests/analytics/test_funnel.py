"""Funnels on two or three people, one behaviour each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from analytics import analyze_funnel, funnel, get_cohort_analysis, get_segment_overlap
from analytics.funnel_result import FunnelResult
from analytics.funnel_stages import Form
from analytics.spec import make_spec
from models.errors import GdpError, UsageError
from tests.analytics.builders import DAY_0, Event, TinyWarehouse, event, journey, stay, when

FORMS: tuple[Form, ...] = ("asof", "window")


def hours(person: str, *steps: tuple[str, float]) -> list[Event]:
    """What a person did, in hours since the first of January."""
    return [event(person, name, DAY_0 + timedelta(hours=hour)) for name, hour in steps]


def ask(events: list[Event], *stages: str, form: Form = "asof", **options: Any) -> FunnelResult:
    """The funnel over events, as of the first of July."""
    warehouse = TinyWarehouse(events)
    try:
        return funnel.run(warehouse, make_spec(funnel.FunnelSpec, stages=stages, **options), form=form)
    finally:
        warehouse.close()


#: name: (stages, window, what one person did, how far they got). Window 1 h unless the vector is about more.
VECTORS: dict[str, tuple[str, str, tuple[tuple[str, float], ...], int]] = {
    "a later start succeeds where the first timed out": (
        "a b c",
        "1h",
        (("a", 1), ("a", 1.5), ("b", 1.75), ("c", 2.25)),
        3,
    ),
    "a window that has ended does not stop a second try": ("a b", "1h", (("a", 0), ("a", 5), ("b", 5.5)), 2),
    "events of one moment count in stage order": ("a b", "1h", (("b", 1), ("a", 1)), 2),
    "an event before the first stage does not count": ("a b", "1h", (("b", 0.99), ("a", 1)), 1),
    "the window is inclusive": ("a b", "1h", (("a", 0), ("b", 1)), 2),
    "a moment after the window is too late": ("a b", "1h", (("a", 0), ("b", 1.0003)), 1),
    "the window is from the first stage, not from the one before": (
        "a b c",
        "1h",
        (("a", 0), ("b", 0.9), ("c", 1.1)),
        2,
    ),
    "one event fills one stage": ("a|b b", "1h", (("b", 0),), 1),
    "a repeated stage needs two events": ("a a b", "1h", (("a", 0), ("b", 0.5)), 1),
    "two events of one moment fill a repeated stage": ("a a b", "1h", (("a", 0), ("a", 0), ("b", 0)), 3),
    "a stage that returns needs an event of its own": ("a b a", "1h", (("a", 0), ("b", 0)), 2),
    "of alternatives at one moment the right one is kept": ("x a|b b", "1h", (("x", 0), ("a", 0), ("b", 0)), 3),
    "the entry can be the alternative that leaves the other": ("a|b b", "1h", (("a", 0), ("b", 0)), 2),
    "four stages over ties, as the ClickHouse issue 52844 has them": (
        "v0 v1 v2 v3",
        "1h",
        (("v0", 0.1), ("v1", 0.2), ("v2", 0.2), ("v3", 0.2), ("v1", 0.3), ("v3", 0.4)),
        4,
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", VECTORS)
def test_how_far_a_person_gets(name: str, form: Form) -> None:
    """The known vectors of funnel semantics, in both forms of the query."""
    stages, window, steps, reach = VECTORS[name]
    others = [event("other", stage, DAY_0 - timedelta(days=99)) for stage in {*stages.replace("|", " ").split()}]
    result = ask([*hours("ada", *steps), *others], *stages.split(), form=form, window=window, start=DAY_0)
    assert result.counts == tuple(int(stage < reach) for stage in range(len(stages.split())))


def test_counts_rates_losses_and_times() -> None:
    """Three visit, two sign up, one buys: every number of the answer."""
    events = [
        *journey("ada", visit="d0", signup="d1", buy="d3"),
        *journey("bob", visit=("d0", "d40"), signup="d41"),
        *journey("cy", visit="d170"),
    ]
    result = ask(events, "visit", "signup", "buy")
    assert result.counts == (3, 2, 1)
    assert [stage.rate for stage in result.stages] == [1.0, 2 / 3, 1 / 3]
    assert [stage.rate_from_previous for stage in result.stages] == [None, 2 / 3, 1 / 2]
    assert [stage.lost for stage in result.stages] == [0, 1, 1]
    assert [stage.median_seconds for stage in result.stages] == [None, 86_400, 3 * 86_400]
    assert [stage.median_seconds_from_previous for stage in result.stages] == [None, 86_400, 2 * 86_400]
    assert result.conversion_rate == 1 / 3
    assert result.dropoff_stage == 1, "a tie of losses goes to the earlier stage"


def test_the_example_of_the_requirements() -> None:
    """1000, 350 and 85 persons: a rate of 0.085 and the largest loss before stage 1."""
    events = []
    for number in range(1000):
        steps = {"signup_completed": "d0", "first_video_created": "d1", "purchase_completed": "d2"}
        reach = 3 if number < 85 else 2 if number < 350 else 1
        events += journey(f"p{number}", **dict(list(steps.items())[:reach]))
    warehouse = TinyWarehouse(events)
    result = analyze_funnel(
        warehouse,
        stages=["signup_completed", "first_video_created", "purchase_completed"],
        time_window="90d",
        breakdown_by="utmSource",
    )
    found = result.to_json()
    assert [(stage["name"], stage["count"]) for stage in found["stages"]] == [
        ("signup_completed", 1000),
        ("first_video_created", 350),
        ("purchase_completed", 85),
    ]
    assert found["conversionRate"] == 0.085
    assert found["dropoffStage"] == 1
    assert list(found["bySource"]) == ["missing"]


def test_the_range_selects_the_entry_and_the_window_runs_past_it() -> None:
    """Ada enters inside the range and buys after it; Bob enters at its end, which is outside."""
    events = [*journey("ada", visit="d9", buy="d15"), *journey("bob", visit="d10", buy="d11")]
    result = ask(events, "visit", "buy", start=when("d9"), end=when("d10"))
    assert result.counts == (1, 1)


def test_immature_entrants_stand_apart() -> None:
    """Of four, one may still convert and one converted early; the mature rate is over the two others."""
    events = [
        *journey("ada", visit="d100", buy="d101"),
        *journey("bob", visit="d100"),
        *journey("cy", visit=("d100", "d170")),
        *journey("dan", visit="d171", buy="d172"),
    ]
    result = ask(events, "visit", "buy", window="30d")
    assert (result.immature, result.converted_early) == (1, 1)
    assert (result.mature.n, result.mature.conversion_rate) == (2, 0.5)
    assert result.conversion_rate == 0.5


def test_a_window_that_ends_now_has_run_out() -> None:
    """At as_of itself everything is known."""
    result = ask(journey("ada", visit="d151"), "visit", "visit", window="30d", as_of=when("d181"))
    assert (result.mature.n, result.immature) == (1, 0)
    result = ask(journey("ada", visit="d151 00:00:01"), "visit", "visit", window="30d", as_of=when("d181"))
    assert (result.mature.n, result.immature) == (0, 1)


def test_events_after_as_of_are_not_known() -> None:
    """The log may hold more than the report's now."""
    events = journey("ada", visit="d0", buy="d9")
    assert ask(events, "visit", "buy", as_of=when("d8")).counts == (1, 0)
    assert ask(events, "visit", "buy", as_of=when("d9")).counts == (1, 1)


def test_months_are_calendar_months() -> None:
    """One month after the 31st of January is the 28th of February."""
    assert ask(journey("ada", visit="d30", buy="d58"), "visit", "buy", window="1m").counts == (1, 1)
    assert ask(journey("ada", visit="d30", buy="d58 00:01"), "visit", "buy", window="1m").counts == (1, 0)


def test_breakdown_by_the_event_that_led_furthest() -> None:
    """Ada came by google and stopped; she came again by meta and bought: she is meta's."""
    events = [
        event("ada", "visit", "d0", utm_source="google"),
        event("ada", "visit", "d50", utm_source="meta"),
        *journey("ada", buy="d51"),
        event("bob", "visit", "d0"),
        event("cy", "visit", "d0", utm_source="missing"),
    ]
    parts = ask(events, "visit", "buy", by="utm_source").to_json()["bySource"]
    assert {name: [stage["count"] for stage in part["stages"]] for name, part in parts.items()} == {
        "meta": [1, 1],
        "missing (value)": [1, 0],
        "missing": [1, 0],
    }


def test_breakdown_by_the_first_of_equally_good_entries() -> None:
    """Of two entries at one moment, the one with the smaller source and event id is meant, whichever came first."""
    events = [
        event("ada", "visit", "d0", utm_source="late", event_id="2"),
        event("ada", "visit", "d0", utm_source="early", event_id="1"),
        event("bob", "view", "d0", utm_source="late", event_id="2"),
        event("bob", "visit", "d0", utm_source="early", event_id="1"),
    ]
    for stages in (("visit|view", "buy"), ("visit|view", "visit|view|buy", "view|buy")):
        result = ask([*events, *journey("cy", buy="d0")], *stages, by="utm_source")
        assert result.breakdown is not None
        assert list(result.breakdown) == ["early"], stages


def test_breakdown_by_a_person_column_and_by_a_property() -> None:
    """A person column is looked up; a property is read from the entry; both keep a bucket for what is missing."""
    events = [
        event("ada", "visit", "d0", properties={"plan": "pro"}),
        event("bob", "visit", "d0", properties={"plan": 7}),
        event("cy", "visit", "d0", properties={"plan": None}),
        *journey("ada", buy="d1"),
    ]
    warehouse = TinyWarehouse(events, persons={"ada": {"source": "google"}, "bob": {"source": "google"}})
    by_source = analyze_funnel(warehouse, ["visit", "buy"], breakdown_by="source")
    assert {name: part.counts for name, part in (by_source.breakdown or {}).items()} == {"google": (2, 1), None: (1, 0)}
    assert "bySource" in by_source.to_json()
    by_plan = analyze_funnel(warehouse, ["visit", "buy"], breakdown_by="properties.plan")
    assert {name: part.counts for name, part in (by_plan.breakdown or {}).items()} == {
        "pro": (1, 1),
        "7": (1, 0),
        None: (1, 0),
    }
    assert by_plan.to_json()["by"] == "properties.plan"
    assert set(by_plan.to_json()["breakdown"]) == {"pro", "7", "missing"}


@pytest.mark.parametrize(
    ("by", "as_of", "value"),
    [
        ("usage_status", "d20", "active"),
        ("usage_status", "d60", "inactive"),
        ("status", "d3", "active"),
        ("status", "d60", "inactive"),
        ("company", "d20", None),
        ("company", "d21", "Acme"),
        ("segment", "d20", "idle"),
        ("segment", "d60", "power"),
        ("segment", "d1", None),
    ],
)
def test_a_person_column_is_what_it_was_at_as_of(by: str, as_of: str, value: str | None) -> None:
    """Also when the build knows better by now; of two segments the one of lowest order counts."""
    warehouse = TinyWarehouse(
        journey("ada", visit="d0", buy="d1"),
        stays=[stay("idle", "ada", "d2"), stay("power", "ada", "d40")],
        segments=("power", "idle"),
        properties=[
            ("ada", "usage_status", "new", "d0", "d7"),
            ("ada", "usage_status", "active", "d7", "d31"),
            ("ada", "usage_status", "inactive", "d31", None),
            ("ada", "status", "active", "d0", "d31"),
            ("ada", "status", "inactive", "d31", None),
            ("ada", "company", "Acme", "d21", None),
        ],
    )
    result = analyze_funnel(warehouse, ["visit", "buy"], breakdown_by=by, as_of=when(as_of))
    assert result.breakdown is not None
    assert list(result.breakdown) == [value]


def test_nobody_entered() -> None:
    """Without entrants there are counts of nought and no rates."""
    result = ask(journey("ada", visit="d0", buy="d1"), "visit", "buy", start=when("d5"), end=when("d6"))
    assert result.counts == (0, 0)
    assert (result.conversion_rate, result.dropoff_stage, result.mature.conversion_rate) == (None, None, None)
    result.table()


def test_only_rows_of_the_stages_and_the_range_are_read() -> None:
    """Every scan of the log is bound by event type and by time on both sides."""
    spec = make_spec(
        funnel.FunnelSpec, stages=("a", "b", "a|b"), start=when("d0"), end=when("d9"), as_of=when("d99"), window="7d"
    )
    asked = funnel.query(spec)
    scans = [step.select for step in asked.steps if "from event\n" in step.select]
    assert len(scans) == 3
    for select in scans:
        assert "event_type in (" in select
        assert "occurred_at >= $start_at" in select
        assert "occurred_at < $end_at" in select or "occurred_at <= $last_at" in select
    assert asked.values["last_at"] == when("d16")


def test_the_text_of_the_query_runs_as_it_is_printed() -> None:
    """The values are bound when we run it, and written in when somebody wants to read it."""
    warehouse = TinyWarehouse(
        [event("ada", "visit", "d0", properties={"x": 1}), *journey("ada", buy="d1"), event("bob", "it's", "d0")]
    )
    spec = funnel.prepare(warehouse, make_spec(funnel.FunnelSpec, stages=("visit", "buy|it's"), by="properties.x"))
    asked = funnel.query(spec)
    assert "'" not in "".join(step.select for step in asked.steps).replace("interval '30' day", "")
    assert warehouse.dicts(asked.text()) == asked.run(warehouse)
    assert dict(asked.count_steps(warehouse).steps) == {
        "entry": 1,
        "stage_2_event": 2,
        "stage_2_next": 1,
        "stage_2": 1,
        "best": 2,
        "decided": 1,
        "origin": 1,
        "progress": 1,
        "reached": 2,
        "summary": 4,
    }


def test_a_number_that_breaks_an_invariant_is_never_shown() -> None:
    """Rising counts and parts that do not add up stop the report."""
    whole = ask(journey("ada", visit="d0", buy="d1"), "visit", "buy")
    rising = whole.model_copy(update={"stages": tuple(reversed((*whole.stages[:1], _with_count(whole, 0))))})
    with pytest.raises(GdpError, match="counts rise"):
        funnel._check(rising, None)
    with pytest.raises(GdpError, match="do not add up"):
        funnel._check(whole, {})


def _with_count(whole: FunnelResult, count: int) -> Any:
    return whole.stages[1].model_copy(update={"count": count})


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"stages": ["visit"]}, "a funnel has 2 to 20 stages; given: 1"),
        ({"stages": ["visit"] * 101}, "given: 101"),
        ({"stages": ["visit", " "]}, "empty event type"),
        ({"stages": ["visit", "a||b"]}, "empty event type"),
        ({"stages": ["visit", "a\nb"]}, "control character"),
        ({"stages": ["visit", "x" * 300]}, "at most 256 characters"),
        ({"stages": ["visit", "vist"]}, "unknown event type 'vist' (did you mean 'visit'?)"),
        ({"window": "7x"}, "'7x' is not a length of time"),
        ({"window": "-1d"}, "'-1d' is not a length of time"),
        ({"window": "0d"}, "'0d' is not a length of time"),
        ({"window": "1000000000d"}, "is not a length of time"),
        ({"window": "99999d"}, "longer than a hundred years"),
        ({"by": "utm_sorce"}, "cannot break down by 'utm_sorce' (did you mean 'utm_source'"),
        ({"by": "source; drop table event"}, "cannot break down by"),
        ({"by": 'properties.x"y'}, "no event visit has a property 'x\"y' (it has none)"),
        ({"by": "properties." + "x" * 300}, "a property has at most 256 characters"),
        ({"by": "email"}, "cannot break down by"),
        ({"tz": "Europe/Berln"}, "not an IANA time zone (did you mean 'Europe/Berlin'"),
        ({"start": when("d2"), "end": when("d2")}, "the range is empty"),
        ({"start": when("d3"), "end": when("d2")}, "the range is empty"),
        ({"start": "yesterday"}, "start: "),
        ({"as_of": when("d999")}, "is after the build's"),
        ({"order": "strict"}, "unknown argument 'order'"),
    ],
)
def test_a_question_that_cannot_be_asked(question: dict[str, Any], message: str) -> None:
    """One line that says what was given and what would be accepted."""
    warehouse = TinyWarehouse(journey("ada", visit="d0", buy="d1"))
    with pytest.raises(UsageError) as error:
        funnel.run(warehouse, make_spec(funnel.FunnelSpec, **{"stages": ["visit", "buy"], **question}))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_stages_that_overlap_in_too_many_ways_are_refused() -> None:
    """Rather no answer than a statement of thousands of conditions."""
    stages = [f"e{number}|e{number + 1}" for number in range(9)]
    with pytest.raises(UsageError, match="overlap in part in too many ways"):
        funnel.query(make_spec(funnel.FunnelSpec, stages=stages, as_of=when("d9")))


def test_a_long_funnel_of_one_event() -> None:
    """Twenty times the same stage needs twenty events."""
    days = tuple(f"d{number}" for number in range(12))
    result = ask(journey("ada", visit=days), *["visit"] * 20)
    assert result.counts == (1,) * 12 + (0,) * 8


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        (analyze_funnel, {"stages": "visit"}),
        (get_cohort_analysis, {"metrics": "retention_d7"}),
        (get_segment_overlap, {"segments": "power"}),
    ],
)
def test_a_text_is_no_list_of_names(ask: Callable[..., object], names: dict[str, str]) -> None:
    """Its letters would be taken for names."""
    with pytest.raises(UsageError, match=r"is a list of names: write \['"):
        ask(TinyWarehouse(), **names)
