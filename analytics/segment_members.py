"""Who is in a segment, and whether somebody is, by the published build."""

from __future__ import annotations

from datetime import datetime

from analytics.identifiers import find_identifier, survivors_of
from analytics.names import require_past, require_segments
from analytics.query import Engine
from analytics.table import Column, Sheet, Table, first_rows, minute
from models.base import Moment, Shape
from warehouse.debuglog import tell

_HOLDS = "entered_at <= $as_of and (exited_at is null or exited_at > $as_of)"


class Member(Shape):
    """Somebody who is in the segment, since when, and when that ends if nothing more happens."""

    person_id: str
    entered_at: Moment
    expires_at: Moment | None


class Membership(Shape):
    """Whether somebody, by any identifier, is in a segment at a moment."""

    segment_id: str
    person: str
    is_member: bool
    as_of: Moment


class MembersResult(Shape):
    """Everybody who is in a segment at a moment."""

    segment_id: str
    count: int
    members: tuple[Member, ...]
    as_of: Moment

    def table(self) -> Sheet:
        """One screen."""
        found = self.records()
        return Sheet(
            f"Segment {self.segment_id}",
            (f"In it as of {minute(self.as_of)} UTC: {self.count:,}.",),
            (first_rows(found.columns, found.rows, what="members"),),
        )

    def records(self) -> Table:
        """One row per member."""
        return Table(
            (Column("person_id"), Column("entered_at", "time"), Column("expires_at", "time")),
            tuple((member.person_id, member.entered_at, member.expires_at) for member in self.members),
        )


def members(engine: Engine, segment_id: str, *, as_of: datetime | None = None) -> MembersResult:
    """Everybody who is in a segment at a moment, by the published build.

    Raises:
        UsageError: for an unknown segment.
    """
    now = as_of or engine.as_of
    _require(engine, segment_id, now)
    rows = engine.rows(
        "select owner.person_id, stay.entered_at,"
        " case when stat.last_event_at <= $as_of then stay.exited_at end"
        " from segment_stay as stay"
        " inner join intermediate.int_person__profile as owner on stay.person_key = owner.person_key"
        " inner join intermediate.int_person__stat as stat on stay.person_key = stat.person_key"
        f" where stay.segment_id = $segment_id and {_HOLDS} order by owner.person_id",
        {"segment_id": segment_id, "as_of": now},
    )
    found = tuple(Member(person_id=person, entered_at=since, expires_at=until) for person, since, until in rows)
    return MembersResult(segment_id=segment_id, count=len(found), members=found, as_of=now)


def is_member(engine: Engine, person: str, segment_id: str, *, as_of: datetime | None = None) -> Membership:
    """Whether somebody is in a segment at a moment, by the published build; only that person's stays are read.

    Raises:
        UsageError: for an unknown segment, or somebody of whom nothing landed.
    """
    now = as_of or engine.as_of
    _require(engine, segment_id, now)
    _, person_key = owner_of(engine, person)
    params = {"segment_id": segment_id, "person_key": person_key, "as_of": now}
    stays = f"select 1 from segment_stay where segment_id = $segment_id and person_key = $person_key and {_HOLDS}"
    is_in = bool(engine.rows(f"{stays} limit 1", params))
    tell("segments", "segment_asked", segment_id=segment_id, person_key=person_key, as_of=now, is_member=is_in)
    return Membership(segment_id=segment_id, person=person, is_member=is_in, as_of=now)


def _require(engine: Engine, segment_id: str, moment: datetime) -> None:
    if moment == engine.as_of:
        require_segments(engine, [segment_id])
    else:
        require_past(engine, segment_id)


def owner_of(engine: Engine, person: str) -> tuple[str, int]:
    """The id and the key of the person that somebody means, by any identifier.

    Raises:
        UsageError: if no event carried it, or several identifiers have this value.
    """
    key = find_identifier(engine, person).key
    survivor = survivors_of(engine, [key])[key]
    return survivor.alias, survivor.key
