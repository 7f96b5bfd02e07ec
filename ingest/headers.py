"""What the columns of a file hold, by their names: the mapping's word first, then names that are not ambiguous."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.fields import KINDS
from ingest.mapping import Case, ColumnType, Mapping
from models.errors import GdpError, nearest

#: Names of columns that mean a field, in lower case without separators: those on the first line, and where no column
#: has one of them, those on the second.
SYNONYMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "event_id": (("eventid",), ("messageid", "insertid")),
    "event_type": (("eventtype",), ("event", "eventname"), ("name", "action", "activity", "type")),
    "occurred_at": (
        ("occurredat",),
        ("timestamp", "time", "ts", "datetime", "eventtime", "eventtimestamp", "eventat"),
        ("at", "date", "eventdate", "createdat"),
    ),
    "user_id": (
        ("userid",),
        ("user", "uid", "distinctid", "personid", "customerid", "customer", "memberid"),
    ),
    "account_id": (("accountid",), ("groupid", "workspaceid", "organizationid", "organisationid", "companyid")),
    "ip_address": (("ipaddress",), ("ip",)),
    "email": (("email",), ("emailaddress",)),
}

#: Fields whose names mean many things elsewhere; they are taken from a header only where it is in our own form.
_OURS_ONLY = ("source", "source_id", "category")
_OWN_FORM = {"event_id", "event_type"}


class UnmappableColumns(GdpError):
    """The columns of a file do not say what is what; the message names the --map that would."""

    exit_code = 2


@dataclass(frozen=True)
class Layout:
    """Where everything of an event comes from in one file.

    ``columns``: field (or ``custom:…``, ``properties.…``, ``traits.…``) to column; ``constants`` and ``cases`` as in
    the mapping; ``properties`` to (name, column); ``types`` as in the mapping.
    """

    columns: dict[str, str]
    constants: dict[str, str]
    cases: dict[str, tuple[Case, ...]]
    properties: tuple[tuple[str, str], ...]
    types: dict[str, ColumnType]

    @property
    def computes_ids(self) -> bool:
        """Whether the rows bring no id of their own."""
        return "event_id" not in self.columns


def lay_out(mapping: Mapping, header: Sequence[str]) -> Layout:
    """Find everything in a header.

    Raises:
        UnmappableColumns: if a column that the mapping names is missing, a field has several candidates, or nothing
            says what the type or the time of an event is.
    """
    _check_named(mapping, header)
    named = {*mapping.columns, *mapping.constants, *mapping.case}
    columns = {ours: theirs for ours, theirs in mapping.columns.items() if theirs is not None}
    columns |= _guessed(header, named, set(columns.values()))
    for needed in ("event_type", "occurred_at"):
        if needed not in columns and needed not in mapping.constants and needed not in mapping.case:
            shown = ", ".join(header[:12]) + (", …" if len(header) > 12 else "")
            raise UnmappableColumns(f"no column for {needed}: give --map {needed}=COLUMN (columns: {shown})")
    return Layout(
        columns=columns,
        constants=dict(mapping.constants),
        cases=dict(mapping.case),
        properties=_properties(mapping, header, columns),
        types=dict(mapping.types),
    )


def _check_named(mapping: Mapping, header: Sequence[str]) -> None:
    for column in mapping.named_columns():
        if column not in header:
            raise UnmappableColumns(
                f"the mapping names a column {column!r}, which is not there ({nearest(column, header)})"
            )


def _guessed(header: Sequence[str], named: set[str], used: set[str]) -> dict[str, str]:
    """Fields that the header names clearly; those that the mapping speaks of are left to it."""
    free: dict[str, list[str]] = {}
    for column in header:
        if column not in used:
            free.setdefault(_folded(column), []).append(column)
    own_form = all(_folded(name) in {_folded(column) for column in header} for name in _OWN_FORM)
    found: dict[str, str] = {}
    for field in KINDS:
        if field in named or (field in _OURS_ONLY and not own_form):
            continue
        for names in SYNONYMS.get(field, ((_folded(field),),)):
            candidates = [column for name in names for column in free.get(name, ())]
            if len(candidates) > 1:
                shown = " or ".join(f"--map {field}={column}" for column in candidates)
                raise UnmappableColumns(f"more than one column may be {field}: give {shown}")
            if candidates:
                found[field] = candidates[0]
                break
    return found


def _properties(mapping: Mapping, header: Sequence[str], columns: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """(property, column) for the columns that become properties."""
    if mapping.properties == "all":
        used = set(columns.values())
        chosen = [column for column in header if column not in used]
    else:
        chosen = list(mapping.properties)
    renamed = [
        (ours.removeprefix("properties."), theirs) for ours, theirs in columns.items() if ours.startswith("properties.")
    ]
    pairs = [*((column, column) for column in chosen), *renamed]
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise UnmappableColumns(f"two columns would become the property {name!r}")
    return tuple(pairs)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
