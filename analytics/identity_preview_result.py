"""How the change that other identity rules would make is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from analytics.identity_groups import Kind
from analytics.table import Column, Sheet, Table, minute
from models.base import Moment, Shape

#: How the persons of each kind of group are told, and the groups.
_WORDS: dict[Kind, tuple[str, str]] = {
    "merge": ("merge into fewer", "Merges"),
    "split": ("split into more", "Splits"),
    "regroup": ("are divided anew", "Divided anew"),
}
#: How many parts of a group stand on a screen.
_MOST_PARTS = 10
#: How many identifiers of a part stand there.
_MOST_NAMES = 3


class Shift(Shape):
    """A number by the published build and by the rules that were tried."""

    before: int
    after: int


class Change(Shape):
    """So many groups of persons of whom ``before`` become ``after``: fewer, more, or others among themselves."""

    kind: Kind
    groups: int
    before: int
    after: int


class Part(Shape):
    """What a person before and a person after have in common: at most ten of its identifiers, and how many there are.

    An e-mail is given in full where it is known.
    """

    person_before: str
    person_after: str
    identifiers: tuple[str, ...]
    identifier_count: int


class Example(Shape):
    """One group of persons, the largest part first."""

    kind: Kind
    before: int
    after: int
    parts: tuple[Part, ...]


class RefusalShift(Shape):
    """How many pairs of identifiers a rule refuses."""

    rule: str
    before: int
    after: int


class MoneyShift(Shape):
    """Recurring revenue of a currency at the build's now (``mrr``), or all that a class of movements ever added."""

    account: str
    currency: str
    measure: str
    before: Decimal
    after: Decimal


class SegmentShift(Shape):
    """How many are in a segment."""

    segment_id: str
    before: int
    after: int


class StageShift(Shape):
    """How many reach a stage of a funnel, and which share of those who entered it."""

    name: str
    before: int
    after: int
    rate_before: float | None
    rate_after: float | None


class IdentityPreview(Shape):
    """The published build beside one that differs in its identity rules alone.

    ``same``, ``gone`` and ``added`` count persons who are one and the same in both, or in one of both only; with the
    groups of ``changes`` they are all persons.
    """

    rules: str
    generation: str
    persons: Shift
    same: int
    gone: int
    added: int
    changes: tuple[Change, ...]
    examples: tuple[Example, ...]
    identifiers: Shift
    identifiers_without_person: Shift
    events_identified: Shift
    events_without_person: Shift
    refusals: tuple[RefusalShift, ...]
    paying_persons: Shift
    mrr: tuple[MoneyShift, ...]
    segments: tuple[SegmentShift, ...]
    funnel: tuple[StageShift, ...] | None
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        counts: tuple[tuple[str, Shift | RefusalShift], ...] = (
            ("persons", self.persons),
            ("paying persons", self.paying_persons),
            ("identifiers", self.identifiers),
            ("identifiers without a person", self.identifiers_without_person),
            ("events identified", self.events_identified),
            ("events without a person", self.events_without_person),
            *((f"pairs refused: {refusal.rule}", refusal) for refusal in self.refusals),
        )
        persons = (
            *((_WORDS[one.kind][0], one.groups, one.before, one.after) for one in self.changes if one.groups),
            *((("are there no more", None, self.gone, 0),) if self.gone else ()),
            *((("are new", None, 0, self.added),) if self.added else ()),
            ("stay who they are", None, self.same, self.same),
        )
        before_after = (Column("before", "count"), Column("after", "count"))
        tables = (
            Table((Column("persons who"), Column("groups", "count"), *before_after), persons),
            _counts_table("", "", counts),
            _money_table(self.mrr),
            _counts_table("segment", "", ((one.segment_id, one) for one in self.segments)),
            *((_funnel_table(self.funnel),) if self.funnel else ()),
            *(_examples_table(kind, self.examples, self.changes) for kind in _WORDS),
        )
        return Sheet(
            f"What {self.rules} would change",
            (
                f"Compared with generation {self.generation}, as of {minute(self.as_of)} UTC. This is a dry run:",
                "the rules, the tables and all that is kept are what they were.",
            ),
            tuple(table for table in tables if table.rows),
        )


def _counts_table(first: str, title: str, counts: Iterable[tuple[str, Any]]) -> Table:
    return Table(
        (Column(first), Column("before", "count"), Column("after", "count"), Column("change", "count")),
        tuple((name, one.before, one.after, one.after - one.before) for name, one in counts),
        title,
    )


def _money_table(money: Iterable[MoneyShift]) -> Table:
    """Where MRR stands, and of its movements those that change."""
    shown = [one for one in money if one.measure == "mrr" or one.before != one.after]
    has_account = any(one.account for one in shown)
    return Table(
        (
            *((Column("account"),) if has_account else ()),
            Column("currency"),
            Column("revenue"),
            *(Column(name, "number") for name in ("before", "after", "change")),
        ),
        tuple(
            (
                *((one.account,) if has_account else ()),
                one.currency,
                "MRR" if one.measure == "mrr" else f"by {one.measure}, ever",
                *(float(amount) for amount in (one.before, one.after, one.after - one.before)),
            )
            for one in shown
        ),
    )


def _funnel_table(stages: Iterable[StageShift]) -> Table:
    return Table(
        (
            *(Column("stage"), Column("before", "count"), Column("after", "count")),
            *(Column("rate before", "rate"), Column("rate after", "rate")),
        ),
        tuple((one.name, one.before, one.after, one.rate_before, one.rate_after) for one in stages),
    )


def _examples_table(kind: Kind, examples: Iterable[Example], changes: Iterable[Change]) -> Table:
    """A row per part; in a group, the persons before and after are numbered."""
    own = [example for example in examples if example.kind == kind]
    left = sum(change.groups for change in changes if change.kind == kind) - len(own)
    return Table(
        (
            *(Column("persons"), Column("before"), Column("after")),
            *(Column("identifiers", "count"), Column("among them")),
        ),
        tuple(row for example in own for row in _part_rows(example)),
        f"{_WORDS[kind][1]}, the largest first; a row is what one before and one after share",
        f"and {left} more: --examples" if left > 0 else "",
    )


def _part_rows(example: Example) -> Iterator[tuple[Any, ...]]:
    numbers = [
        {person: f"#{number}" for number, person in enumerate(dict.fromkeys(persons), start=1)}
        for persons in (
            [part.person_before for part in example.parts],
            [part.person_after for part in example.parts],
        )
    ]
    head = f"{example.before} → {example.after}"
    for part in example.parts[:_MOST_PARTS]:
        before, after = numbers[0][part.person_before], numbers[1][part.person_after]
        yield head, before, after, part.identifier_count, ", ".join(part.identifiers[:_MOST_NAMES])
        head = ""
    left = len(example.parts) - _MOST_PARTS
    if left > 0:
        yield "", "", "", sum(part.identifier_count for part in example.parts[_MOST_PARTS:]), f"… in {left} more parts"
