"""Segment rules as intervals: exact in event time, equal to a replay moment by moment."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from analytics.duration import Duration
from analytics.segment_rules import compile_segment, compile_segments
from models.errors import UsageError
from models.segment import SegmentDefinition
from tests.analytics.builders import DAY_0, Event, TinyWarehouse, event, journey, key, when
from tests.analytics.oracles import Count, by_person, is_member
from warehouse.sql import portable_literal

FAR = timedelta(days=1000)


def segment(*rules: dict[str, Any], segment_id: str = "some_segment") -> SegmentDefinition:
    return SegmentDefinition(segment_id=segment_id, name="Some segment", rules=rules)  # type: ignore[arg-type]


def stays(events: Iterable[Event], definition: SegmentDefinition) -> list[tuple[str, datetime, datetime | None]]:
    """The stays of everybody, by the name of the person."""
    events = list(events)
    names = {key(one.person): one.person for one in events if one.person}
    warehouse = TinyWarehouse(events)
    rows = warehouse.rows(f"select * from ({compile_segment(definition, 'event')}) order by person_key, entered_at")
    warehouse.close()
    assert {row[0] for row in rows} <= {definition.segment_id}
    return [(names[person], entered, exited) for _, person, entered, exited in rows]


def test_a_count_in_a_window_ends_when_an_event_falls_out_of_it() -> None:
    """Two renders in ten days: from the second until the first of them is ten days old."""
    rule = {"eventType": "render", "eventCount": {"gte": 2}, "eventWindow": "10d"}
    assert stays(journey("ada", render=("d0", "d4")), segment(rule)) == [("ada", when("d4"), when("d10"))]


def test_intervals_that_touch_are_one_stay() -> None:
    """An event at the very moment the last one expires prolongs the stay."""
    rule = {"eventType": "render", "eventWindow": "10d"}
    assert stays(journey("ada", render=("d0", "d10")), segment(rule)) == [("ada", when("d0"), when("d20"))]


def test_a_long_stay_and_a_later_one() -> None:
    """Several events carry one stay; after a pause there is another."""
    rule = {"eventType": "render", "eventWindow": "10d"}
    events = journey("ada", render=("d0", "d0", "d4", "d9", "d30", "d35", "d60"))
    assert stays(events, segment(rule)) == [
        ("ada", when("d0"), when("d19")),
        ("ada", when("d30"), when("d45")),
        ("ada", when("d60"), when("d70")),
    ]


def test_a_stay_may_end_after_the_last_event_and_one_without_window_never_ends() -> None:
    """Ends in the future are kept, and 'ever' has none."""
    assert stays(journey("ada", render="d0"), segment({"eventType": "render"})) == [("ada", when("d0"), None)]


def test_none_in_a_window_holds_from_the_first_event_of_any_kind() -> None:
    """A person exists from the first event on; before it nobody is inactive."""
    rule = {"eventType": "render", "eventCount": {"lte": 0}, "eventWindow": "30d"}
    events = [*journey("ada", visit="d0", render="d3"), *journey("bob", render="d1")]
    assert sorted(stays(events, segment(rule))) == [
        ("ada", when("d0"), when("d3")),
        ("ada", when("d33"), None),
        ("bob", when("d31"), None),
    ]


def test_all_rules_must_hold() -> None:
    """The stays of two rules are those moments that both share."""
    both = segment(
        {"eventType": "render", "eventWindow": "10d"},
        {"eventType": ["invite", "share"], "eventWindow": "10d"},
    )
    assert stays(journey("ada", render="d0", share="d4", invite="d20"), both) == [("ada", when("d4"), when("d10"))]


def test_an_event_type_matches_as_it_was_landed() -> None:
    """Case and surrounding white space of a rule are those of landing."""
    assert stays(journey("ada", render="d0"), segment({"eventType": "  Render "})) == [("ada", when("d0"), None)]


def test_events_of_nobody_make_no_stay() -> None:
    """An event without an identifier belongs to no person."""
    assert stays([event(None, "render", "d0")], segment({"eventType": "render"})) == []


def test_no_segments_is_an_empty_relation() -> None:
    """The statement of no segments has the columns and no rows."""
    warehouse = TinyWarehouse()
    sql = compile_segments([], relation_for=lambda _: "event")
    assert warehouse.connection.execute(sql).fetchall() == []
    assert [column[0] for column in warehouse.connection.execute(sql).description or ()] == [
        "segment_id",
        "person_key",
        "entered_at",
        "exited_at",
    ]


def test_each_segment_reads_the_relation_it_is_given() -> None:
    """A changed segment can read everybody while another reads those who were touched."""
    rule, silent = {"eventType": "render"}, {"eventType": "share", "eventCount": {"lte": 0}}
    sql = compile_segments(
        [segment(rule, silent, segment_id="old"), segment(silent, segment_id="new")],
        relation_for=lambda segment_id: "all_event" if segment_id == "new" else "touched_event",
    )
    warehouse = TinyWarehouse([*journey("ada", render="d0"), *journey("bob", render="d0")])
    found = warehouse.rows(
        "with all_event as (select person_key, event_type, occurred_at from event),"
        " touched_event as (select * from all_event where person_key = $ada),"
        f" interval_in as ({sql}) select * from interval_in",
        {"ada": key("ada")},
    )
    assert sorted((name, person) for name, person, *_ in found) == sorted(
        [("new", key("ada")), ("new", key("bob")), ("old", key("ada"))]
    )


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({"property": "plan", "operator": "equals", "value": "pro"}, "property"),
        ({"cohortId": "power_users"}, "cohort"),
    ],
)
def test_rules_of_other_kinds_are_refused(rule: dict[str, Any], word: str) -> None:
    """A rule that cannot be compiled yet says so in one line."""
    with pytest.raises(UsageError, match=f"not supported yet: segment 'some_segment' has a rule on a {word}"):
        compile_segment(segment(rule), "event")


HOSTILE = (
    "it's",
    "''",
    "a\\",
    "\\'; drop table event; --",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# x",
    "}}",
    "a\r\nb",
    "a\tb",
    "$as_of",
    "x') or true --",
    "café",
    "日本",
    "{",
    "'",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_an_event_type_is_only_ever_a_text(name: str) -> None:
    """Quotes, backslashes and braces reach neither SQL nor Jinja as anything but themselves."""
    rendered = (
        Environment(autoescape=False)
        .from_string("{% macro m() %}" + portable_literal(name) + "{% endmacro %}{{ m() }}")
        .render()
    )
    warehouse = TinyWarehouse()
    assert warehouse.rows(f"select {rendered}") == [(name,)]
    assert not set("\\{}") & set(portable_literal(name))
    assert "''" not in portable_literal(name)


def test_a_relation_must_be_a_plain_name() -> None:
    """The relation's name becomes text, so it may only be a name."""
    with pytest.raises(ValueError, match="plain relation name"):
        compile_segment(segment({"eventType": "render"}), "event; drop table event")


TYPES = ("a", "b", "c")
windows = st.sampled_from([None, "1h", "2h", "3h", "4h"])


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """An event rule with any of the bounds."""
    rule: dict[str, Any] = {"eventType": draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True))}
    window = draw(windows)
    if window:
        rule["eventWindow"] = window
    least, most = draw(st.none() | st.integers(0, 3)), draw(st.none() | st.integers(0, 3))
    if least is not None and most is not None and least > most:
        least, most = most, least
    if least is not None or most is not None:
        rule["eventCount"] = {name: n for name, n in (("gte", least), ("lte", most)) if n is not None}
    return rule


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(TYPES), st.integers(0, 16)), max_size=40),
    chosen=st.lists(rules(), min_size=1, max_size=3),
)
@settings(max_examples=80)
def test_stays_equal_a_replay(rows: list[tuple[int, str, int]], chosen: list[dict[str, Any]]) -> None:
    """At every event, every expiry and the moments between them, the stays say what counting says."""
    events = [event(f"p{person}", name, DAY_0 + timedelta(hours=hour)) for person, name, hour in rows]
    found = stays(events, segment(*chosen))
    for person, history in by_person(events).items():
        mine = [(entered, exited or DAY_0 + FAR) for name, entered, exited in found if name == person]
        for moment in _moments(history, chosen):
            expected = is_member(history, [_count(rule) for rule in chosen], moment)
            assert any(entered <= moment < exited for entered, exited in mine) == expected, (person, moment)
        assert all(entered < exited for entered, exited in mine)
        assert all(first[1] < second[0] for first, second in itertools.pairwise(mine)), "stays touch or overlap"


def _count(rule: dict[str, Any]) -> Count:
    count = rule.get("eventCount", {"gte": 1})
    window = timedelta(hours=int(rule["eventWindow"][:-1])) if "eventWindow" in rule else None
    return Count(tuple(rule["eventType"]), count.get("gte"), count.get("lte"), window)


def _moments(history: Sequence[Event], chosen: Sequence[dict[str, Any]]) -> set[datetime]:
    times = {one.occurred_at for one in history}
    ends = {
        Duration.parse(rule["eventWindow"]).after(moment)
        for rule in chosen
        if "eventWindow" in rule
        for moment in times
    }
    instant = timedelta(microseconds=1)
    around = {moment + shift for moment in times | ends for shift in (-instant, timedelta(0), instant)}
    return around | {DAY_0 - FAR, DAY_0 + timedelta(days=900)}
