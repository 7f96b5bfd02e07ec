"""Rows of table-like files on their way to landing files: in bulk by SQL, and one by one where SQL has doubts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from ingest import strictjson
from ingest.blocktaker import pieces_of
from ingest.eventcheck import Rules, check_event
from ingest.fields import JSON_KEYS, KINDS, Kind
from ingest.landing_sql import landed_select
from ingest.mappedsql import RowForm, doubtful_rows, mapped_rows
from ingest.parts import Parts
from ingest.reasons import Reason, Refused, RefusedRow
from ingest.strictjson import RawNumber
from ingest.times import instant

_DIGITS = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


class MappedRows:
    """Takes the rows of one file, batch by batch."""

    def __init__(self, parts: Parts, form: RowForm, rules: Rules) -> None:
        self.records = 0
        self.refused: list[RefusedRow] = []
        self._parts = parts
        self._form = form
        self._rules = rules

    def take(self, relation: str) -> None:
        """Take the rows of a relation that holds ``row_number`` and the file's columns."""
        select = landed_select(mapped_rows(self._form, relation), self._rules)
        before = self._parts.taken
        left = self._parts.write(select, computes_ids=self._form.layout.computes_ids, missing_from=relation)
        assert left is not None
        self.records += self._parts.taken - before + left.num_rows
        for piece in pieces_of(left):
            with self._parts.registered("left_rows", pa.Table.from_batches([piece])):
                self._check_one_by_one("left_rows")

    def finish(self) -> None:
        """Write what is waiting."""
        self._parts.flush_checked()

    def drain_refused(self) -> list[RefusedRow]:
        """The rows refused since the last call."""
        refused, self.refused = self.refused, []
        return refused

    def _check_one_by_one(self, relation: str) -> None:
        cursor = self._parts.connection.execute(doubtful_rows(self._form, relation))
        names = [column[0] for column in cursor.description or ()]
        checked = []
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True))
            try:
                event = _event_of(row, self._form)
                checked.append(check_event(event, self._rules) | {"row_number": row["row_number"]})
            except Refused as refusal:
                raw = row["record"].encode()
                self.refused.append(RefusedRow(row["row_number"], refusal.reason, refusal.detail, raw))
        self._parts.add_checked(checked)


def _event_of(row: Mapping[str, Any], form: RowForm) -> dict[str, Any]:
    """The row as a JSON event with native names, for ``check_event``."""
    if row["type_problem"]:
        reason = Reason.NON_FINITE if "not finite" in row["type_problem"] else Reason.TYPE_MISMATCH
        raise Refused(reason, row["type_problem"])
    event: dict[str, Any] = {}
    identifiers = {name: row[f"custom:{name}"] for name in form.custom}
    for name in form.fields:
        match KINDS[name]:
            case Kind.OBJECT:
                value = _object_of(name, row)
            case Kind.TIME:
                value = _moment_of(name, row[name], row[f"{name}_text"], form.time_format)
            case _:
                value = row[name]
        if name in JSON_KEYS:
            event[name] = value
        else:
            identifiers[name] = value
    return {**event, "identifiers": identifiers}


def _moment_of(name: str, moment: Any, text: str | None, time_format: str | None) -> Any:
    if moment is None and text is not None:
        hint = (
            "a time is written as 2026-01-31 12:00:00 or is an epoch number; a mapping file can name a time_format"
            if time_format is None
            else f"it is not written as the time_format {time_format} says"
        )
        return instant(name, RawNumber(text) if _DIGITS.fullmatch(text) else text, hint)
    return moment


def _object_of(name: str, row: Mapping[str, Any]) -> Any:
    text, inner = row[f"{name}_text"], row.get(f"{name}_inner")
    own = None if text is None else strictjson.parse(text)
    if inner is None:
        return own
    if own is not None and not isinstance(own, dict):
        raise Refused(Reason.TYPE_MISMATCH, f"{name} is no JSON object")
    others = strictjson.parse(inner)
    for key in others:
        if own and key in own and own[key] != others[key]:
            raise Refused(
                Reason.DUPLICATE_KEY, f"{strictjson.shown(key)} is a column and, with another value, in {name}"
            )
    return {**(own or {}), **others}
