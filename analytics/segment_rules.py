"""Segments as change points: the rules of a segment become the intervals of time in which they hold.

An interval is half-open, [entered_at, exited_at), in event time; exited_at is null where it has no end in sight. Starts
and ends that lie after the last event are kept ("ten renders in thirty days" ends thirty days after the tenth-last
render, whether or not anything happens then), so membership at any moment is a slice and time passing costs nothing.

- An event at t counts for every now in [t, t + window); without a window it counts for ever.
- "At least n" is true from an event on until the n-th-last event up to it falls out of the window.
- "At most n" is true where "at least n + 1" is not, from the person's first event of any type on: before it nobody is
  there to be counted. "None in 30 days" therefore holds from a person's first event if that is of another type.
- All rules of a segment must hold: their intervals are intersected, those that ask for something first, and the later
  ones look only at the persons that are left.

The text runs on DuckDB and on Spark, and inside a Jinja template: names are checked against a pattern, and every
character of an event type that SQL or Jinja could take for its own is written as its number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from analytics.duration import Duration
from models.errors import UsageError
from models.keys import normalise_event_type
from models.segment import SEGMENT_ID, SegmentDefinition, SegmentRule
from warehouse.sql import is_plain_identifier, portable_literal


def compile_segments(definitions: Iterable[SegmentDefinition], *, relation_for: Callable[[str], str]) -> str:
    """One statement with the stays of all segments: (segment_id, person_key, entered_at, exited_at).

    Args:
        definitions: segments whose rules are event rules.
        relation_for: of a segment's id, the name of the relation to read, with columns (person_key, event_type,
            occurred_at) and all events of each person in it.

    Raises:
        UsageError: for a rule that cannot be compiled yet, or a name that cannot be one.
    """
    selects, relations = [], []
    for definition in definitions:
        relation = relation_for(definition.segment_id)
        selects.append(_segment(definition, relation))
        relations.append(relation)
    if not selects:
        return _NO_STAYS
    existing = ",\n\n".join(
        f"{existing_of(relation)} as (\n{_indent(_EXISTING.format(relation=relation))}\n)"
        for relation in dict.fromkeys(relations)
        if any(f"from {existing_of(relation)}" in select for select in selects)
    )
    return (f"with {existing}\n\n" if existing else "") + "\nunion all\n".join(selects)


def compile_segment(definition: SegmentDefinition, relation: str) -> str:
    """One statement with the stays of a segment; see ``compile_segments``."""
    return compile_segments([definition], relation_for=lambda _: relation)


def existing_of(relation: str) -> str:
    """The name of the step that has the time since each person's first event in a relation."""
    return f"existing_in_{relation}"


def _segment(definition: SegmentDefinition, relation: str) -> str:
    if not re.fullmatch(SEGMENT_ID, definition.segment_id):
        raise UsageError(f"{definition.segment_id!r} is not a segment's id: it must match {SEGMENT_ID}")
    if not is_plain_identifier(relation):
        raise ValueError(f"{relation!r} is not a plain relation name")
    leaves = [_leaf(definition, rule) for rule in definition.rules]
    # A rule that only forbids holds for nearly everybody; one that asks for something leaves fewer persons to look at.
    leaves.sort(key=lambda leaf: leaf.least == 0)
    steps = _Steps(relation)
    held = steps.leaf(leaves[0], persons=None)
    for leaf in leaves[1:]:
        held = steps.intersect(held, steps.leaf(leaf, persons=held))
    return (
        f"select\n    {portable_literal(definition.segment_id)} as segment_id,\n"
        "    person_key,\n    entered_at,\n    exited_at\n"
        f"from (\n{_indent(steps.sql(held))}\n) as stay"
    )


@dataclass(frozen=True)
class _Leaf:
    """A count of events: at least ``least`` (0: no lower bound) and at most ``most`` (None: no upper bound)."""

    types: tuple[str, ...]
    least: int
    most: int | None
    window: Duration | None


def _leaf(definition: SegmentDefinition, rule: SegmentRule) -> _Leaf:
    if rule.condition != "event":
        raise UsageError(f"not supported yet: segment {definition.segment_id!r} has a rule on a {rule.condition}")
    given = (rule.event_type,) if isinstance(rule.event_type, str) else rule.event_type or ()
    types = tuple(dict.fromkeys(normalise_event_type(name) for name in given))
    if not all(types):
        raise UsageError(f"segment {definition.segment_id!r} names an empty event type")
    if any("\x00" in name for name in types):
        raise UsageError(f"segment {definition.segment_id!r} names an event type with a NUL character")
    count = rule.event_count
    return _Leaf(
        types=types,
        least=1 if count is None else count.gte or 0,
        most=None if count is None else count.lte,
        window=Duration.parse(rule.event_window) if rule.event_window else None,
    )


@dataclass
class _Steps:
    """The steps of one segment, in the order they are needed; every step of intervals is disjoint and merged."""

    relation: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def sql(self, last: str) -> str:
        """The statement that selects the last step."""
        steps = ",\n\n".join(f"{name} as (\n{_indent(select)}\n)" for name, select in self.steps)
        return (f"with {steps}\n\n" if steps else "") + f"select * from {last}"

    def leaf(self, leaf: _Leaf, *, persons: str | None) -> str:
        """The intervals in which a count of events is right, for the persons of a step or for all."""
        if leaf.least > 0 and leaf.most is not None:
            enough = self._at_least(leaf, leaf.least, persons)
            return self.intersect(enough, self._at_most(leaf, leaf.most, enough))
        if leaf.most is not None:
            return self._at_most(leaf, leaf.most, persons)
        return self._at_least(leaf, leaf.least, persons) if leaf.least > 0 else self._existing(persons)

    def intersect(self, left: str, right: str) -> str:
        """The intervals in which both hold."""
        return self._add(
            "both",
            "select\n    one.person_key,\n    greatest(one.entered_at, other.entered_at) as entered_at,\n"
            "    least(\n        coalesce(one.exited_at, other.exited_at), coalesce(other.exited_at, one.exited_at)\n"
            f"    ) as exited_at\nfrom {left} as one\ninner join {right} as other\n"
            "    on one.person_key = other.person_key\n"
            "    and (one.exited_at is null or one.exited_at > other.entered_at)\n"
            "    and (other.exited_at is null or other.exited_at > one.entered_at)",
        )

    def _at_least(self, leaf: _Leaf, least: int, persons: str | None) -> str:
        events = self._add("event", self._events(leaf.types, persons))
        if leaf.window is None:
            return self._add("ever", _EVER.format(events=events, least=least))
        # The event that has to fall out of the window for the count to sink below what is asked.
        pivot = (
            "occurred_at"
            if least == 1
            else f"lag(occurred_at, {least - 1}) over (partition by person_key order by occurred_at)"
        )
        counted = self._add("counted", _COUNTED.format(events=events, pivot=pivot, window=leaf.window.sql))
        return self._merge(counted)

    def _merge(self, overlapping: str) -> str:
        """Intervals that overlap or touch as one; later starts must not end sooner, and empty ones do not count."""
        bound = self._add("bound", _BOUND.format(intervals=overlapping))
        edge = self._add("edge", _EDGE.format(bound=bound))
        island = self._add("island", _ISLAND.format(edge=edge))
        return self._add("enough", f"select person_key, entered_at, exited_at\nfrom {island}\nwhere is_first = 1")

    def _at_most(self, leaf: _Leaf, most: int, persons: str | None) -> str:
        """What "at least one more" leaves of the time since the person's first event."""
        if most == 0:
            # Nothing has to be merged: from each event's expiry until the next event.
            above = self._add("event", self._events(leaf.types, persons))
            begins = "occurred_at"
            later = "" if leaf.window is None else _SILENCE.format(events=above, window=leaf.window.sql)
        else:
            above = self._at_least(leaf, most + 1, persons)
            begins = "entered_at"
            later = _GAP.format(above=above)
        return self._add("few", _BEFORE.format(existing=self._existing(persons), above=above, begins=begins) + later)

    def _existing(self, persons: str | None) -> str:
        """The time since each person's first event of any type; one step for all segments that read the relation."""
        if persons is None:
            return existing_of(self.relation)
        return self._add("existing", f"select *\nfrom {existing_of(self.relation)}\nwhere {self._persons(persons)}")

    def _events(self, types: tuple[str, ...], persons: str | None) -> str:
        names = ", ".join(portable_literal(name) for name in types)
        return (
            f"select person_key, occurred_at\nfrom {self.relation}\n"
            f"where event_type in ({names})\n    and {self._persons(persons)}"
        )

    @staticmethod
    def _persons(persons: str | None) -> str:
        return "person_key is not null" if persons is None else f"person_key in (select person_key from {persons})"

    def _add(self, name: str, select: str) -> str:
        numbered = f"{name}_{len(self.steps) + 1}"
        self.steps.append((numbered, select))
        return numbered


def _indent(sql: str) -> str:
    return "\n".join("    " + line if line else "" for line in sql.splitlines())


_EXISTING = """select
    person_key,
    min(occurred_at) as entered_at,
    nullif(min(occurred_at), min(occurred_at)) as exited_at
from {relation}
where person_key is not null
group by person_key"""

_EVER = """select
    person_key,
    occurred_at as entered_at,
    nullif(occurred_at, occurred_at) as exited_at
from {events}
qualify row_number() over (partition by person_key order by occurred_at) = {least}"""

_COUNTED = """select
    person_key,
    occurred_at as entered_at,
    {pivot} + {window} as exited_at
from {events}"""

_BOUND = """select
    person_key,
    entered_at,
    exited_at,
    lag(exited_at) over (partition by person_key order by entered_at, exited_at) as last_exited_at,
    lead(entered_at) over (partition by person_key order by entered_at, exited_at) as next_entered_at
from {intervals}
where exited_at > entered_at"""

_EDGE = """select
    person_key,
    entered_at,
    exited_at,
    case when entered_at <= last_exited_at then 0 else 1 end as is_first,
    case when next_entered_at <= exited_at then 0 else 1 end as is_last
from {bound}
where last_exited_at is null
    or next_entered_at is null
    or entered_at > last_exited_at
    or next_entered_at > exited_at"""

_ISLAND = """select
    person_key,
    entered_at,
    case
        when is_last = 1 then exited_at
        else lead(exited_at) over (partition by person_key order by entered_at, exited_at, is_last)
    end as exited_at,
    is_first
from {edge}"""

_BEFORE = """select existing.person_key, existing.entered_at, above.entered_at as exited_at
from {existing} as existing
left join (
    select person_key, min({begins}) as entered_at
    from {above}
    group by person_key
) as above
    on existing.person_key = above.person_key
where above.entered_at is null or above.entered_at > existing.entered_at"""

_SILENCE = """
union all
select person_key, entered_at, exited_at
from (
    select
        person_key,
        occurred_at + {window} as entered_at,
        lead(occurred_at) over (partition by person_key order by occurred_at) as exited_at
    from {events}
) as silence
where exited_at is null or exited_at > entered_at"""

_GAP = """
union all
select person_key, exited_at, next_entered_at
from (
    select
        person_key,
        exited_at,
        lead(entered_at) over (partition by person_key order by entered_at) as next_entered_at
    from {above}
) as gap
where exited_at is not null"""

_NO_STAYS = """select
    cast(null as string) as segment_id,
    cast(null as bigint) as person_key,
    cast(null as timestamp) as entered_at,
    cast(null as timestamp) as exited_at
where false"""
