"""Random rules over random histories: the stays say at every moment what looking at that moment says."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.segment_leaves import PUBLISHED, Scope
from analytics.segment_rules import compile_segments
from models.segment import SegmentDefinition
from tests.analytics.builders import DAY_0, TinyWarehouse, event, key
from tests.analytics.segment_oracle import Fact, Past, Rule, is_in, moments

ENDLESS = datetime(9999, 1, 1, tzinfo=timezone.utc)
PERSONS = ("ada", "bob")
Spans = dict[tuple[str, int], list[tuple[datetime, datetime]]]


def hour(number: int) -> datetime:
    return DAY_0 + timedelta(hours=number)


types = st.sampled_from(("a", "b", "c"))
windows = st.sampled_from(("2h", "5h", "1d", "30h"))
hours = st.integers(0, 60)
values = st.sampled_from(("pro", "Pro", "9", "", 9, 10, 2.5, True, False, [1], hour(30).isoformat()))
nows = st.sampled_from(("now", "now - 3h", "now + 2h", "now - 1d", "now-1w"))
times = nows | hours.map(lambda number: hour(number).isoformat())
texts, numbers = st.sampled_from(("pro", "9", "p")), st.sampled_from((2, 9, 10, 2.5))


@st.composite
def ranges(draw: st.DrawFn) -> dict[str, int]:
    """At least, at most, or both."""
    low, high = sorted((draw(st.integers(0, 3)), draw(st.integers(0, 3))))
    return draw(st.sampled_from(({"gte": low}, {"lte": high}, {"gte": low, "lte": high})))


def compared(names: Sequence[str], operands: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An operator of those, and what it takes."""
    return st.fixed_dictionaries({"operator": st.sampled_from(names), "value": operands})


ORDER = ("gte", "lte", "gt", "lt")
comparisons = st.one_of(
    compared(("equals", "not_equals"), texts | numbers | st.booleans()),
    compared(("in", "not_in"), st.lists(texts, min_size=1, max_size=2) | st.lists(numbers, min_size=1, max_size=2)),
    compared(("contains", "starts_with"), texts),
    compared(ORDER, numbers),
    compared(("between",), st.tuples(numbers, numbers).map(sorted)),
    compared(("exists",), st.booleans()),
)
of_times = st.one_of(
    compared((*ORDER, "before", "after"), times),
    compared(("between",), st.tuples(nows, nows).map(list)),
)
filters = st.lists(
    st.builds(
        lambda given: {"property": "size", "operator": "exists"} if given["operator"] == "exists" else given,
        comparisons.map(lambda one: {"property": "size", **one}),
    ),
    max_size=2,
)


@st.composite
def event_rules(draw: st.DrawFn) -> dict[str, Any]:
    """A count of an event or of a sequence."""
    rule: dict[str, Any] = {}
    if draw(st.booleans()):
        rule["eventWindow"] = draw(windows)
    if draw(st.booleans()):
        rule["eventCount"] = draw(ranges())
    if draw(st.sampled_from((False, False, True))):
        rule["distinctDays"] = draw(ranges())
    if draw(st.sampled_from((False, False, True))):
        steps = st.fixed_dictionaries({"eventType": types | st.lists(types, min_size=1, max_size=2)})
        return {**rule, "within": draw(windows), "sequence": draw(st.lists(steps, min_size=2, max_size=3))}
    return {**rule, "eventType": draw(types), "where": draw(filters)}


def property_rules() -> st.SearchStrategy[dict[str, Any]]:
    """A trait, or what follows from events."""
    traits = st.sampled_from(("plan", "seats")).flatmap(
        lambda name: (comparisons | of_times).map(lambda one: {"property": name, **one})
    )
    computed = st.sampled_from(("lastActionDate", "createdAt", "first_action_date", "last_event_at")).flatmap(
        lambda name: of_times.map(lambda one: {"property": name, **one})
    )
    counted = compared(ORDER, numbers).map(lambda one: {"property": "totalEvents", **one})
    status = compared(("equals", "not_in"), st.just("active")).map(
        lambda one: {"property": "status", **one, "value": ["active"] if one["operator"] == "not_in" else "active"}
    )
    return st.one_of(traits, computed, counted, status)


lists = st.lists(
    st.tuples(st.sampled_from(PERSONS), hours, st.none() | st.integers(1, 20)).map(
        lambda row: {
            "id": f"user_id:{row[0]}",
            "from": hour(row[1]).isoformat(),
            **({} if row[2] is None else {"until": hour(row[1] + row[2]).isoformat()}),
        }
    ),
    min_size=1,
    max_size=3,
).map(lambda rows: {"list": rows})
holdouts = st.sampled_from((1, 50, 100)).flatmap(
    lambda percent: st.sampled_from("xyz").map(lambda salt: {"holdout": {"percent": percent, "salt": salt}})
)
simple = st.one_of(event_rules(), property_rules(), property_rules(), lists, holdouts)
trees = st.recursive(
    simple | st.just({"cohortId": "first"}),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"all": rules}),
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"any": rules}),
        inner.map(lambda rule: {"not": rule}),
    ),
    max_leaves=4,
)


@st.composite
def pasts(draw: st.DrawFn) -> list[Past]:
    """What two persons did, and what was known of them when."""
    found = []
    for person in PERSONS:
        rows = draw(st.lists(st.tuples(types, hours, values, st.booleans()), min_size=1, max_size=9))
        events = [
            event(person, name, hour(at), properties={"size": size}, is_action=acts) for name, at, size, acts in rows
        ]
        facts = []
        for name, known in (
            ("plan", values),
            ("seats", values),
            ("status", st.sampled_from(("active", "paid"))),
        ):
            # Nothing is known of anybody before their first event.
            since = min(at for _, at, *_ in rows)
            starts = sorted(max(since, at) for at in draw(st.sets(hours, max_size=3)))
            for start, end in zip(starts, [*starts[1:], None], strict=False):
                if start != end and draw(st.sampled_from((True, True, False))):
                    facts.append(Fact(name, draw(known), hour(start), None if end is None else hour(end)))
        found.append(Past(person, events, facts))
    return found


@given(history=pasts(), first=st.lists(simple, min_size=1, max_size=2), second=st.lists(trees, min_size=1, max_size=3))
@settings(max_examples=50)
def test_stays_equal_a_replay(history: list[Past], first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    """For everybody at once, for one person alone, and with what is shared by two segments."""
    segments: Mapping[str, Sequence[Rule]] = {"first": first, "second": second}
    definitions = [SegmentDefinition(segment_id=name, name=name, rules=rules) for name, rules in segments.items()]  # type: ignore[arg-type]
    warehouse = TinyWarehouse(
        (one for past in history for one in past.events),
        properties=[(past.person, *_row(fact)) for past in history for fact in past.facts],
    )
    everybody = spans(warehouse, compile_segments(definitions, scope_for=lambda _: PUBLISHED))
    for past in history:
        _check(past, segments, everybody)
        one = Scope("one_event", "one_property", "one_alias")
        alone = spans(
            warehouse,
            f"with {_of_one(key(past.person))}, found as ("
            f"{compile_segments(definitions, scope_for=lambda _, one=one: one)}) select * from found",  # type: ignore[misc]
        )
        assert alone == {place: rows for place, rows in everybody.items() if place[1] == key(past.person)}
    warehouse.close()


@given(history=pasts(), rules=st.lists(trees, min_size=1, max_size=2), at=hours)
@settings(max_examples=20)
def test_what_comes_later_changes_no_membership(history: list[Past], rules: list[dict[str, Any]], at: int) -> None:
    """Members as of a moment are those that a build at that moment had."""
    rules = [{"all": [one for one in rules if "cohortId" not in repr(one)] or [{"eventType": "a"}]}]
    definition = SegmentDefinition(segment_id="some", name="some", rules=rules)  # type: ignore[arg-type]
    sql = compile_segments([definition], scope_for=lambda _: PUBLISHED)

    def members(pasts: Sequence[Past]) -> set[tuple[str, int]]:
        events = [one for past in pasts for one in past.events]
        with TinyWarehouse(
            events, properties=[(past.person, *_row(fact)) for past in pasts for fact in past.facts]
        ) as w:
            found = spans(w, sql)
        return {who for who, stays in found.items() if any(start <= hour(at) < end for start, end in stays)}

    then = [
        replace(
            past,
            events=[one for one in past.events if one.occurred_at <= hour(at)],
            facts=[replace(fact, end=None) for fact in past.facts if _holds(fact, hour(at))],
        )
        for past in history
    ]
    assert members(history) == members(then)


def _holds(fact: Fact, moment: datetime) -> bool:
    return fact.start <= moment and (fact.end is None or moment < fact.end)


def _row(fact: Fact) -> tuple[str, Any, datetime, datetime | None]:
    return fact.property, fact.value, fact.start, fact.end


def _of_one(person_key: int) -> str:
    return ", ".join(
        f"one_{name} as (select * from {table} where person_key = {person_key})"
        for name, table in (("event", "event"), ("property", "person_property"), ("alias", "person_alias"))
    )


def spans(warehouse: TinyWarehouse, sql: str) -> Spans:
    found: Spans = {}
    for segment_id, person_key, entered, exited in warehouse.rows(f"select * from ({sql}) order by all"):
        found.setdefault((segment_id, person_key), []).append((entered, exited or ENDLESS))
    return found


def _check(past: Past, segments: Mapping[str, Sequence[Rule]], found: Spans) -> None:
    for segment_id in segments:
        mine = found.get((segment_id, key(past.person)), [])
        assert all(entered < exited for entered, exited in mine)
        assert all(first[1] < second[0] for first, second in itertools.pairwise(mine)), "stays touch or overlap"
        for moment in moments(segments, past):
            expected = is_in(segment_id, segments, past, moment)
            assert any(start <= moment < end for start, end in mine) == expected, (segment_id, past.person, moment)
