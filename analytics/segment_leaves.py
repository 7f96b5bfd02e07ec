"""The leaves of a segment's rules as intervals: when one condition is true of a person, and when it is false.

- An event at t counts for every now in [t, t + window); without a window it counts for ever.
- "At least n" is true from an event on until the n-th-last event up to it falls out of the window.
- "At most n" is true where "at least n + 1" is not, from the person's first event of any type on: before it nobody is
  there to be counted. "None in 30 days" therefore holds from a person's first event if that is of another type.
- A day counts as long as one event of it does; the n-th-last day falls out of the window with its last event.
- A sequence counts like an event, at the time of its last step.
- A property holds from when it was said until something else was; what is compared with now moves on by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from analytics import dialect
from analytics.duration import Duration
from analytics.segment_predicates import as_kind, predicate
from analytics.segment_steps import Steps
from analytics.segment_tree import EventLeaf, Filter, HoldoutLeaf, ListLeaf, PropertyLeaf, SqlLeaf, Stage
from models.operators import COMPARISON, NOW
from warehouse.segment_sql import segment_sql
from warehouse.sql import portable_literal

_OPPOSITE = {"gte": "lt", "lt": "gte", "lte": "gt", "gt": "lte"}
_HOLDOUT_PARTS = 16**8
_BRACE = re.compile(r"[{}]")


@dataclass(frozen=True)
class Scope:
    """The relations that are read, each with all rows of each person in it.

    Attributes:
        event: person_key, event_type, occurred_at, is_action, properties.
        property: person_property's columns.
        alias: alias_id, person_key.
    """

    event: str
    property: str
    alias: str
    #: How queries of segments read tables, where it is not by their names: (table, SQL in a template of Jinja).
    tables: tuple[tuple[str, str], ...] = ()


#: The tables of a warehouse.
PUBLISHED = Scope("event", "person_property", "person_alias")


@dataclass(frozen=True)
class Leaves:
    """Turns leaves into steps; ``persons`` names a step to whose persons they are restricted."""

    scope: Scope
    steps: Steps

    def existing(self, persons: str | None) -> str:
        """The time since each person's first event of any type."""
        everybody = self.steps.add("existing", _EXISTING.format(event=self.scope.event))
        if persons is None:
            return everybody
        return self.steps.add("existing", f"select *\nfrom {everybody}\nwhere {_among(persons)}")

    def events(self, leaf: EventLeaf, persons: str | None, *, want: bool) -> str:
        """When a count of events, or of days with events, is as asked; or when it is not."""
        steps = self.steps
        if want:
            parts = [self._at_least(leaf, leaf.least, persons)] if leaf.least > 0 else []
            if leaf.most is not None:
                parts.append(self._at_most(leaf, leaf.most, parts[0] if parts else persons))
            if not parts:
                return self.existing(persons)
            return parts[0] if len(parts) == 1 else steps.both(*parts)
        parts = [self._at_most(leaf, leaf.least - 1, persons)] if leaf.least > 0 else []
        if leaf.most is not None:
            parts.append(self._at_least(leaf, leaf.most + 1, persons))
        return steps.either(*parts) if parts else self.nowhere()

    def nowhere(self) -> str:
        """No interval of anybody."""
        return self.steps.add("nowhere", f"select *\nfrom {self.existing(None)}\nwhere false")

    def property(self, leaf: PropertyLeaf, persons: str | None, *, want: bool) -> str:
        """When a property is known to be as asked, or known not to be; neither where it is absent."""
        if leaf.operator == "exists":
            known = self.steps.join(self._values(leaf, "value is not null", persons))
            return known if want else self.steps.without(self.existing(persons), known)
        if leaf.operand.moves:
            return self.steps.join(self._moving(leaf, persons, want=want))
        return self.steps.join(self._values(leaf, predicate(leaf.operator, leaf.operand, "value", want=want), persons))

    def listed(self, leaf: ListLeaf, persons: str | None, *, want: bool) -> str:
        """When somebody is on a list, by any identifier that is the person's now."""
        rows = "\nunion all\n".join(
            f"select {portable_literal(alias)} as alias_id, {dialect.moment(start)} as entered_at,"
            f" {dialect.moment(end) if end else f'cast(null as {dialect.TIME})'} as exited_at"
            for alias, start, end in leaf.members
        )
        listed = self.steps.add("listed", rows)
        member = self.steps.add("member", _MEMBER.format(alias=self.scope.alias, listed=listed, among=_among(persons)))
        existing = self.existing(persons)
        on_list = self.steps.both(existing, self.steps.join_any(member))
        return on_list if want else self.steps.without(existing, on_list)

    def queried(self, leaf: SqlLeaf, persons: str | None, *, want: bool) -> str:
        """When a query gives somebody; without a past, since the first event."""
        query = segment_sql(leaf.sql)
        text, head = query.text, ""
        if self.scope.tables:
            text = _BRACE.sub(lambda brace: "{{ '" + brace[0] + "' }}", text)
            read = [(name, sql) for name, sql in self.scope.tables if name in query.tables]
            head = "with " + ",\n".join(f"{name} as (select * from {sql})" for name, sql in read) + "\n" if read else ""
        who = f"cast({query.person} as {'string' if query.person == 'person_id' else 'bigint'}) as person"
        entered, exited = ("entered_at", "exited_at") if query.has_history else ("null", "null")
        answer = self.steps.add(
            "answer",
            f"select {who},\n    cast({entered} as {dialect.TIME}) as entered_at,"
            f" cast({exited} as {dialect.TIME}) as exited_at\n"
            f"from (\n{head}select * from (\n{text}\n) as query\n) as answer",
        )
        known = "alias.alias_id" if query.person == "person_id" else "alias.person_key"
        existing = self.existing(persons)
        found = self.steps.add(
            "queried", _QUERIED.format(answer=answer, alias=self.scope.alias, known=known, existing=existing)
        )
        stays = self.steps.join_any(found)
        return stays if want else self.steps.without(existing, stays)

    def holdout(self, leaf: HoldoutLeaf, persons: str | None, *, want: bool) -> str:
        """The share of all persons whose salted hash is small, from their first event on."""
        border = round(leaf.percent / 100 * _HOLDOUT_PARTS)
        drawn = f"substring(md5({portable_literal(leaf.salt + '|')} || cast(person_key as string)), 1, 8)"
        # Of eight hexadecimal digits every one is less than 'g'.
        chosen = f"{drawn} < '{f'{border:08x}' if border < _HOLDOUT_PARTS else 'g'}'"
        return self.steps.add(
            "holdout", f"select *\nfrom {self.existing(persons)}\nwhere {chosen if want else f'not ({chosen})'}"
        )

    def _at_least(self, leaf: EventLeaf, least: int, persons: str | None) -> str:
        events = self.happenings(leaf, persons)
        if leaf.counts_days and least > 1:
            events = self.steps.add("day", _DAY.format(events=events, day=dialect.day_number("occurred_at", "UTC")))
        if leaf.window is None:
            return self.steps.add("ever", _EVER.format(events=events, least=least))
        # The event that has to fall out of the window for the count to sink below what is asked.
        last = "last_at" if leaf.counts_days and least > 1 else "occurred_at"
        leaving = (
            last if least == 1 else f"lag({last}, {least - 1}) over (partition by person_key order by occurred_at)"
        )
        return self.steps.join(
            self.steps.add(
                "counted", _COUNTED.format(events=events, leaving=leaving, ends=dialect.after("leaving", leaf.window))
            )
        )

    def _at_most(self, leaf: EventLeaf, most: int, persons: str | None) -> str:
        """What "at least one more" leaves of the time since the person's first event."""
        existing = self.existing(persons)
        if most > 0:
            return self.steps.without(existing, self._at_least(leaf, most + 1, persons))
        # Nothing has to be joined: from each event's expiry until the next event.
        events = self.happenings(leaf, persons)
        later = (
            ""
            if leaf.window is None
            else _SILENCE.format(events=events, begins=dialect.after("occurred_at", leaf.window))
        )
        return self.steps.without(existing, events, begins="occurred_at", later=later)

    def happenings(self, leaf: EventLeaf, persons: str | None) -> str:
        """The events that count, or the last steps of the sequences that do."""
        if leaf.within is None:
            stage = leaf.stages[0]
            return self.steps.add(
                "event",
                f"select person_key, occurred_at\nfrom {self.scope.event}\n"
                f"where {_passes(stage)}\n    and {_among(persons)}",
            )
        return self._sequence(leaf.stages, leaf.within, persons)

    def _sequence(self, stages: tuple[Stage, ...], within: Duration, persons: str | None) -> str:
        flags = ",\n    ".join(f"{_passes(stage)} as is_stage_{n}" for n, stage in enumerate(stages, start=1))
        types = tuple(dict.fromkeys(name for stage in stages for name in stage.types))
        flagged = self.steps.add(
            "stage",
            f"select\n    person_key,\n    occurred_at,\n    {flags},\n"
            "    row_number() over (partition by person_key order by occurred_at) as position\n"
            f"from {self.scope.event}\nwhere {_of_types(types)}\n    and {_among(persons)}",
        )
        begun = self.steps.add(
            "begun", f"select *, case when is_stage_1 then occurred_at end as began_1\nfrom {flagged}"
        )
        for number in range(2, len(stages) + 1):
            begun = self.steps.add("begun", _NEXT_STAGE.format(begun=begun, number=number, before=number - 1))
        last = f"began_{len(stages)}"
        return self.steps.add(
            "completed",
            f"select person_key, occurred_at\nfrom {begun}\nwhere occurred_at <= {dialect.after(last, within)}",
        )

    def _values(self, leaf: PropertyLeaf, condition: str, persons: str | None) -> str:
        """The intervals of a property's values that meet a condition, as they are kept."""
        source = self.values(leaf, persons)
        return self.steps.add(
            "property",
            f"select person_key, valid_from as entered_at, valid_to as exited_at\nfrom {source}\nwhere {condition}",
        )

    def _moving(self, leaf: PropertyLeaf, persons: str | None, *, want: bool) -> str:
        """The part of each value's interval in which it lies right to a now that moves on."""
        comparison = COMPARISON[leaf.operator]
        now = NOW.fullmatch(str(leaf.operand.values[0]))
        if now is None:
            raise ValueError(f"{leaf.operand.values[0]!r} is not an expression of now")
        sign, length = now.groups()
        # value <= now - 30d says that now is at or after value + 30d.
        shift = dialect.after if sign == "-" else dialect.before
        meets = "value" if length is None else shift("value", Duration.parse(length))
        if not want:
            comparison = _OPPOSITE[comparison]
        if comparison in {"lt", "gte"}:
            meets = dialect.next_instant(meets)
        template = _FROM_THEN if comparison in {"lt", "lte"} else _UNTIL_THEN
        return self.steps.add("moving", template.format(source=self.values(leaf, persons), meets=meets))

    def values(self, leaf: PropertyLeaf, persons: str | None) -> str:
        """Values of the operand's kind with their intervals: (person_key, value, valid_from, valid_to)."""
        if leaf.property in _OF_EVENTS:
            where, value, begins, ends, tail = _OF_EVENTS[leaf.property]
            return self.steps.add(
                "value",
                f"select\n    person_key,\n    {value} as value,\n    {begins} as valid_from,\n    {ends} as valid_to\n"
                f"from {self.scope.event}\nwhere {where} and {_among(persons)}\n{tail}",
            )
        kind = leaf.operand.kind
        kinds = {"time": "'time', 'text'", None: "'text', 'number', 'boolean', 'time', 'json'"}.get(kind, f"'{kind}'")
        return self.steps.add(
            "value",
            f"select person_key, {as_kind(kind, 'value') if kind else 'value'} as value, valid_from, valid_to\n"
            f"from {self.scope.property}\nwhere property = {portable_literal(leaf.property)}\n"
            f"    and value_type in ({kinds})\n    and {_among(persons)}",
        )


def _passes(stage: Stage) -> str:
    return "\n    and ".join((_of_types(stage.types), *(_filter(one) for one in stage.filters)))


def _of_types(types: tuple[str, ...]) -> str:
    return f"event_type in ({', '.join(portable_literal(name) for name in types)})"


def _filter(one: Filter) -> str:
    path = portable_literal(dialect.json_member(one.property))
    text, found = dialect.json_text("properties", path), dialect.json_type("properties", path)
    kind = one.operand.kind
    if kind is None:
        return f"{text} is not null"
    of_kind = {
        "text": f"{found} = 'VARCHAR'",
        "time": f"{found} = 'VARCHAR'",
        "boolean": f"{found} = 'BOOLEAN'",
        "number": f"{found} not in ('VARCHAR', 'BOOLEAN', 'OBJECT', 'ARRAY', 'NULL')",
    }[kind]
    return f"case when {of_kind} then {predicate(one.operator, one.operand, as_kind(kind, text))} else false end"


def _among(persons: str | None) -> str:
    return "person_key is not null" if persons is None else f"person_key in (select person_key from {persons})"


#: Properties that follow from events: which count, what the value is, since and until when it holds.
_FIRST = "group by person_key"
_IN_TIME = "window in_time as (partition by person_key order by occurred_at)"
_NEXT = "lead(occurred_at) over in_time"
_NEVER = f"cast(null as {dialect.TIME})"
_OF_EVENTS = {
    "created_at": ("true", "min(occurred_at)", "min(occurred_at)", _NEVER, _FIRST),
    "first_action_date": ("is_action", "min(occurred_at)", "min(occurred_at)", _NEVER, _FIRST),
    "last_event_at": ("true", "occurred_at", "occurred_at", _NEXT, _IN_TIME),
    "last_action_date": ("is_action", "occurred_at", "occurred_at", _NEXT, _IN_TIME),
    "total_events": ("true", "cast(row_number() over in_time as double)", "occurred_at", _NEXT, _IN_TIME),
}

_EXISTING = """select
    person_key,
    min(occurred_at) as entered_at,
    nullif(min(occurred_at), min(occurred_at)) as exited_at
from {event}
where person_key is not null
group by person_key"""

_EVER = """select
    person_key,
    occurred_at as entered_at,
    nullif(occurred_at, occurred_at) as exited_at
from {events}
qualify row_number() over (partition by person_key order by occurred_at) = {least}"""

_COUNTED = """select person_key, occurred_at as entered_at, {ends} as exited_at
from (
    select person_key, occurred_at, {leaving} as leaving
    from {events}
) as counted
where leaving is not null"""

_DAY = """select
    person_key,
    min(occurred_at) as occurred_at,
    max(occurred_at) as last_at
from {events}
group by person_key, {day}"""

_SILENCE = """
union all
select person_key, entered_at, exited_at
from (
    select
        person_key,
        {begins} as entered_at,
        lead(occurred_at) over (partition by person_key order by occurred_at) as exited_at
    from {events}
) as silence
where exited_at is null or exited_at > entered_at"""

_NEXT_STAGE = """select
    *,
    case
        when is_stage_{number} then greatest(
            coalesce(max(began_{before}) over forward, max(began_{before}) over backward),
            coalesce(max(began_{before}) over backward, max(began_{before}) over forward)
        )
    end as began_{number}
from {begun}
window
    forward as (
        partition by person_key order by occurred_at, position
        rows between unbounded preceding and 1 preceding
    ),
    backward as (
        partition by person_key order by occurred_at, position desc
        rows between unbounded preceding and 1 preceding
    )"""

_FROM_THEN = """select
    person_key,
    greatest(valid_from, {meets}) as entered_at,
    valid_to as exited_at
from {source}
where value is not null and (valid_to is null or valid_to > {meets})"""

_UNTIL_THEN = """select
    person_key,
    valid_from as entered_at,
    least(coalesce(valid_to, {meets}), {meets}) as exited_at
from {source}
where value is not null and {meets} > valid_from"""

#: Nobody is anywhere before the first event.
_QUERIED = """select
    existing.person_key,
    greatest(answer.entered_at, existing.entered_at) as entered_at,
    answer.exited_at
from {answer} as answer
inner join (
    select distinct {known} as person, person_key from {alias} as alias
) as alias on answer.person = alias.person
inner join {existing} as existing on alias.person_key = existing.person_key
where answer.exited_at is null
    or answer.exited_at > greatest(answer.entered_at, existing.entered_at)"""

_MEMBER = """select alias.person_key, listed.entered_at, listed.exited_at
from {alias} as alias
inner join {listed} as listed on alias.alias_id = listed.alias_id
where {among}"""
