"""Segment rules as intervals: exact in event time, equal to a replay moment by moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from jinja2 import Environment

from analytics.segment_leaves import PUBLISHED, Scope
from analytics.segment_rules import compile_segment, compile_segments
from models.segment import SegmentDefinition
from tests.analytics.builders import Event, TinyWarehouse, event, journey, key, when
from warehouse.sql import portable_literal

ALL, TOUCHED = (Scope(f"{name}_event", "person_property", "person_alias") for name in ("all", "touched"))


def segment(*rules: dict[str, Any], segment_id: str = "some_segment") -> SegmentDefinition:
    return SegmentDefinition(segment_id=segment_id, name="Some segment", rules=rules)  # type: ignore[arg-type]


def stays(events: Iterable[Event], definition: SegmentDefinition) -> list[tuple[str, datetime, datetime | None]]:
    """The stays of everybody, by the name of the person."""
    events = list(events)
    names = {key(one.person): one.person for one in events if one.person}
    warehouse = TinyWarehouse(events)
    rows = warehouse.rows(f"select * from ({compile_segment(definition, PUBLISHED)}) order by person_key, entered_at")
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


def test_a_day_of_a_window_has_24_hours_and_a_counted_day_is_one_of_utc() -> None:
    """Whatever clocks do: on 29 March 2026 those of Berlin skip an hour at one in UTC."""
    before = datetime(2026, 3, 28, 23, 30, tzinfo=timezone.utc)
    events = [event("ada", "render", before), event("ada", "render", before + timedelta(hours=1))]
    window = segment({"eventType": "render", "eventWindow": "1d"})
    assert stays(events, window) == [("ada", before, before + timedelta(hours=25))]
    days = segment({"eventType": "render", "distinctDays": {"gte": 2}})
    assert stays(events, days) == [("ada", before + timedelta(hours=1), None)]


def test_events_of_one_time_count_each_and_at_once() -> None:
    """Two at the same moment are two from that moment on; a sequence may be both."""
    events = journey("ada", render=("d1", "d1"), share="d1")
    assert stays(events, segment({"eventType": "render", "eventCount": {"gte": 2}})) == [("ada", when("d1"), None)]
    assert stays(events, segment({"eventType": "render", "eventCount": {"gte": 3}})) == []
    both = segment({"sequence": [{"eventType": "share"}, {"eventType": "render"}], "within": "1h"})
    assert stays(events, both) == [("ada", when("d1"), None)]


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
    sql = compile_segments([], scope_for=lambda _: PUBLISHED)
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
        scope_for=lambda segment_id: ALL if segment_id == "new" else TOUCHED,
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
        compile_segment(segment({"eventType": "render"}), Scope("event; drop table event", "p", "a"))
