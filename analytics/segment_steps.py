"""Intervals as SQL steps: what is true from when to when, and how such steps combine.

A step has the columns (person_key, entered_at, exited_at): half-open intervals in event time, exited_at null where
there is no end in sight. Those of one person neither overlap nor touch. Equal steps are one, whoever asks for them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

_WORD = re.compile(r"\b[a-z]+_[0-9]+\b")


@dataclass
class Steps:
    """Named selects in the order in which they need each other."""

    selects: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    needs: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, name: str, select: str) -> str:
        """The name of a step; of one that is there already, if it says the same."""
        if select not in self.names:
            numbered = f"{name}_{len(self.names) + 1}"
            direct = {word for word in _WORD.findall(select) if word in self.selects}
            self.needs[numbered] = frozenset({numbered}).union(*(self.needs[one] for one in direct))
            self.names[select], self.selects[numbered] = numbered, select
        return self.names[select]

    def shared(self, lasts: Iterable[str]) -> frozenset[str]:
        """The steps that more than one of the last steps need."""
        counts = Counter(name for last in lasts for name in self.needs[last])
        return frozenset(name for name, count in counts.items() if count > 1)

    def with_clause(self, names: Collection[str]) -> str:
        """Some of the steps as the head of a statement; empty if there are none."""
        wanted = [f"{name} as (\n{indent(select)}\n)" for name, select in self.selects.items() if name in names]
        return "with " + ",\n\n".join(wanted) + "\n\n" if wanted else ""

    def statement(self, last: str, given: frozenset[str] = frozenset()) -> str:
        """The statement that selects the last step, where the given ones are there already."""
        return f"{self.with_clause(self.needs[last] - given)}select * from {last}"

    def both(self, left: str, right: str) -> str:
        """The intervals in which both hold."""
        return self.add(
            "both",
            "select\n    one.person_key,\n    greatest(one.entered_at, other.entered_at) as entered_at,\n"
            "    least(\n        coalesce(one.exited_at, other.exited_at), coalesce(other.exited_at, one.exited_at)\n"
            f"    ) as exited_at\nfrom {left} as one\ninner join {right} as other\n"
            "    on one.person_key = other.person_key\n"
            "    and (one.exited_at is null or one.exited_at > other.entered_at)\n"
            "    and (other.exited_at is null or other.exited_at > one.entered_at)",
        )

    def either(self, *names: str) -> str:
        """The intervals in which at least one holds."""
        different = tuple(dict.fromkeys(names))
        if len(different) == 1:
            return different[0]
        together = self.add(
            "any", "\nunion all\n".join(f"select person_key, entered_at, exited_at\nfrom {name}" for name in different)
        )
        return self.join_any(together)

    def join_any(self, intervals: str) -> str:
        """Intervals that overlap or touch as one, whichever ends first."""
        return self.add("either", _EITHER.format(intervals=intervals))

    def join(self, intervals: str) -> str:
        """Intervals that overlap or touch as one; later starts must not end sooner, and empty ones do not count."""
        return self.add("joined", _JOINED.format(intervals=intervals))

    def without(self, existing: str, taken: str, *, begins: str = "entered_at", later: str | None = None) -> str:
        """What intervals leave of the time since each person's first event.

        Args:
            existing: the step with that time.
            taken: the step with the intervals, or with the moments (``begins``) at which one starts.
            later: the select of what lies between intervals, where it is known more cheaply.
        """
        gaps = _GAP.format(taken=taken) if later is None else later
        return self.add("rest", _BEFORE.format(existing=existing, taken=taken, begins=begins) + gaps)


def indent(sql: str) -> str:
    """The text, four blanks to the right."""
    return "\n".join("    " + line if line else "" for line in sql.split("\n"))


#: A group begins where no earlier interval reaches.
_EITHER = """select
    person_key,
    min(entered_at) as entered_at,
    case when count(*) = count(exited_at) then max(exited_at) end as exited_at
from (
    select
        person_key,
        entered_at,
        exited_at,
        sum(
            case when open_before = 0 and (last_exited_at is null or entered_at > last_exited_at) then 1 else 0 end
        ) over (
            partition by person_key order by entered_at range between unbounded preceding and current row
        ) as island
    from (
        select
            person_key,
            entered_at,
            exited_at,
            max(exited_at) over earlier as last_exited_at,
            count(*) over earlier - count(exited_at) over earlier as open_before
        from {intervals}
        window earlier as (
            partition by person_key order by entered_at rows between unbounded preceding and 1 preceding
        )
    ) as reach
) as grouped
group by person_key, island"""

#: An island ends where the interval before the next island's first does, or its person's last: only the first of each
#: island and that last are looked at again. An interval without an end is its person's last.
_JOINED = """select person_key, entered_at, exited_at
from (
    select
        person_key,
        entered_at,
        case
            when next_entered_at is null then exited_at
            else lead(end_before) over (partition by person_key order by entered_at, end_before nulls first)
        end as exited_at,
        is_first
    from (
        select
            person_key,
            entered_at,
            exited_at,
            next_entered_at,
            case when entered_at <= last_exited_at then 0 else 1 end as is_first,
            case when entered_at <= last_exited_at then exited_at else last_exited_at end as end_before
        from (
            select
                person_key,
                entered_at,
                exited_at,
                lag(exited_at) over (partition by person_key order by entered_at, exited_at) as last_exited_at,
                lead(entered_at) over (partition by person_key order by entered_at, exited_at) as next_entered_at
            from {intervals}
            where exited_at is null or exited_at > entered_at
        ) as bound
        where last_exited_at is null or next_entered_at is null or entered_at > last_exited_at
    ) as edge
) as island
where is_first = 1"""

_BEFORE = """select existing.person_key, existing.entered_at, taken.entered_at as exited_at
from {existing} as existing
left join (
    select person_key, min({begins}) as entered_at
    from {taken}
    group by person_key
) as taken
    on existing.person_key = taken.person_key
where taken.entered_at is null or taken.entered_at > existing.entered_at"""

_GAP = """
union all
select person_key, exited_at, next_entered_at
from (
    select
        person_key,
        exited_at,
        lead(entered_at) over (partition by person_key order by entered_at) as next_entered_at
    from {taken}
) as gap
where exited_at is not null"""
