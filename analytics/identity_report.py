"""The health of the identity graph: how large persons are, what joins nobody, and which rules refused what."""

from __future__ import annotations

from typing import Any

from analytics.query import Engine
from analytics.statistic import share
from analytics.table import Column, Sheet, Table, first_rows, percent
from models.base import Moment, Shape

#: The last bucket of the sizes begins here; those before it double.
_LARGEST = 64


class PersonsOfSize(Shape):
    """How many persons have ``least`` to ``most`` identifiers (null: or more)."""

    least: int
    most: int | None
    persons: int


class Knot(Shape):
    """An identifier whose edges join nobody: a hub, or a device that several users had.

    ``seen_with`` counts the users and Stripe customers that it was seen with, ``value`` is an e-mail where it is known.
    """

    id_type: str
    value: str
    seen_with: int
    turns: int


class TypeOfIdentifier(Shape):
    """The identifiers of a type; ``orphans`` never spoke for an event, ``events`` are those that the type spoke for."""

    id_type: str
    identifiers: int
    orphans: int
    events: int
    of_events: float | None


class Refusal(Shape):
    """How many edges a rule refused."""

    rule: str
    edges: int


class IdentityReport(Shape):
    """The identity graph of a build.

    An event is identified if its person has a user id, an e-mail, or an account with Stripe, Google or GitHub.
    """

    persons: int
    identifiers: int
    edges: int
    refused: int
    sizes: tuple[PersonsOfSize, ...]
    hubs: tuple[Knot, ...]
    shared_devices: tuple[Knot, ...]
    types: tuple[TypeOfIdentifier, ...]
    events: int
    events_identified: int
    share_identified: float | None
    events_without_identifier: int
    refusals: tuple[Refusal, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        known = percent(self.share_identified)
        knot = (Column("identifier"), Column("seen with", "count"))
        return Sheet(
            "Identity",
            (
                f"{self.identifiers:,} identifiers make {self.persons:,} persons.",
                f"{self.edges:,} pairs of identifiers came together; {self.refused:,} of them join nobody.",
                f"{known} of {self.events:,} events have a person with a user id, e-mail or account.",
                f"{self.events_without_identifier:,} events have no identifier.",
            ),
            tuple(
                table
                for table in (
                    Table(
                        (Column("identifiers of a person"), Column("persons", "count")),
                        tuple((_range(size), size.persons) for size in self.sizes),
                        "Sizes",
                    ),
                    Table(
                        (
                            Column("type"),
                            Column("identifiers", "count"),
                            Column("orphans", "count"),
                            Column("events", "count"),
                            Column("of all events", "rate"),
                        ),
                        tuple(tuple(dict(type_).values()) for type_ in self.types),
                        "Types (orphans: never the identifier by which an event knows its person)",
                    ),
                    Table(
                        (Column("rule"), Column("pairs", "count")),
                        tuple((refusal.rule, refusal.edges) for refusal in self.refusals),
                        "Refused",
                    ),
                    first_rows(knot, tuple(map(_knot_row, self.hubs)), title="Hubs", what="hubs"),
                    first_rows(
                        (*knot, Column("turns", "count")),
                        tuple((*_knot_row(device), device.turns) for device in self.shared_devices),
                        title="Shared devices",
                        what="devices",
                    ),
                )
                if table.rows
            ),
        )


def identity_report(engine: Engine) -> IdentityReport:
    """Count the identity graph."""
    ((identifiers, persons),) = engine.rows(_PERSONS)
    refusals = engine.dicts(_REFUSALS)
    types = engine.dicts(_TYPES)
    [(events, identified, without)] = engine.rows(EVENTS_IDENTIFIED)
    knots = engine.dicts(_KNOTS)
    kinds: dict[str, list[Knot]] = {"hub": [], "shared_device": []}
    for row in knots:
        kinds[row.pop("kind")].append(Knot(**row))
    return IdentityReport(
        persons=persons,
        identifiers=identifiers,
        edges=sum(row["edges"] for row in refusals),
        refused=sum(row["edges"] for row in refusals if row["rule"] is not None),
        sizes=tuple(PersonsOfSize(**row) for row in engine.dicts(_SIZES, {"largest": _LARGEST})),
        hubs=tuple(kinds["hub"]),
        shared_devices=tuple(kinds["shared_device"]),
        types=tuple(TypeOfIdentifier(**row, of_events=share(row["events"], events)) for row in types),
        events=events,
        events_identified=identified,
        share_identified=share(identified, events),
        events_without_identifier=without,
        refusals=tuple(Refusal(**row) for row in refusals if row["rule"] is not None),
        as_of=engine.as_of,
    )


def _range(size: PersonsOfSize) -> str:
    if size.most is None:
        return f"{size.least} or more"
    return str(size.least) if size.least == size.most else f"{size.least} to {size.most}"


def _knot_row(knot: Knot) -> tuple[Any, ...]:
    return (f"{knot.id_type}:{knot.value}", knot.seen_with)


#: All events, those whose person has a user id, an e-mail or an account elsewhere, and those without any identifier.
EVENTS_IDENTIFIED = """
with identified as (
    select distinct owner.person_key
    from intermediate.int_identity__owner as owner
    inner join intermediate.int_identity__identifier as identifier
        on owner.identifier_key = identifier.identifier_key
    where
        owner.valid_from is null
        and identifier.id_type in ('user_id', 'email', 'stripe_id', 'google_id', 'github_id')
)

select
    count(*) as events,
    count(identified.person_key) as events_identified,
    count(*) filter (where event.identifier_key is null) as events_without_identifier
from event
left join identified on event.person_key = identified.person_key
"""
_PERSONS = "select count(*), count(distinct person_key) from intermediate.int_identity__owner where valid_from is null"
_SIZES = """
with sized as (
    select count(*) as size from intermediate.int_identity__owner where valid_from is null group by person_key
),

bucketed as (
    select
        case
            when size >= $largest then $largest
            when size < 4 then size
            else cast(power(2, floor(log2(size))) as bigint)
        end as least
    from sized
)

select
    least,
    case when least < 4 then least when least < $largest then 2 * least - 1 end as most,
    count(*) as persons
from bucketed
group by least
order by least
"""
_KNOTS = """
select
    knot.kind,
    identifier.id_type,
    coalesce(identifier.email, identifier.id_value) as value,
    knot.seen_with,
    count(owner.valid_from) as turns
from intermediate.int_identity__knot as knot
inner join intermediate.int_identity__identifier as identifier
    on knot.identifier_key = identifier.identifier_key
inner join intermediate.int_identity__owner as owner on knot.identifier_key = owner.identifier_key
group by all
order by knot.seen_with desc, identifier.id_type, value
"""
_TYPES = """
with spoken as (
    select identifier_key, count(*) as events
    from event
    where identifier_key is not null
    group by identifier_key
)

select
    identifier.id_type,
    count(*) as identifiers,
    count(*) filter (where spoken.events is null) as orphans,
    cast(coalesce(sum(spoken.events), 0) as bigint) as events
from intermediate.int_identity__identifier as identifier
left join spoken on identifier.identifier_key = spoken.identifier_key
group by identifier.id_type
order by events desc, identifier.id_type
"""
_REFUSALS = """
select refused_by as rule, count(*) as edges
from intermediate.int_identity__judged
group by refused_by
order by edges desc, rule
"""
