"""The messages of many deliveries read by SQL: those whose shapes have been found to come out right.

A shape (``ingest/messagesql.py``) is *strict* if a message of it is strict JSON; it is *good* if SQL brings its
messages out as ``Service.to_event`` does. Both are found out on the first and the last message of a new shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from ingest import strictjson
from ingest.eventcheck import Rules
from ingest.jsonshape import MAX_PLANNED_KEYS
from ingest.jsonsql import TextFacts
from ingest.landing_sql import RawRows, landed_select
from ingest.messagesql import BatchForm, Path, Reader, messages_sql, raw_messages, shape_sql
from ingest.parts import Parts
from ingest.reasons import Refused
from ingest.samples import MOST_SHAPES, REMEMBERED_SHAPES, ExactWay, rows_by_sql, shapes_table
from ingest.service import Service
from warehouse.sql import quote_identifier


@dataclass(frozen=True)
class _Sample:
    """One message of a shape, as it came."""

    shape: int
    id: int
    text: str
    received_at: datetime | None
    channel: str | None
    shared: dict[str, Any]


class Bulk:
    """Reads the deliveries of one service, some at a time.

    Args:
        parts: where the rows go.
        rules: what holds for all rows.
        service: whose deliveries they are.
        received_at: when deliveries were received that do not say so themselves.
    """

    def __init__(self, parts: Parts, rules: Rules, service: Service, received_at: datetime | None) -> None:
        self._parts = parts
        self._connection = parts.connection
        self._rules = rules
        self._service = service
        self._exact = ExactWay(service, rules, received_at)
        self._in_sql = service.in_sql
        self._received_at = received_at
        self._others: dict[Path, list[str]] = {path: [] for path in service.in_sql.opened}
        self._strict: set[int] = set()
        self._good: set[int] = set()
        self._seen: set[int] = set()
        self._present: set[Path] = set()
        self._facts = TextFacts(is_ascii=False, has_escapes=True, has_arrays=True, has_inner_objects=True, depth=0)

    def open(self, texts: str, facts: TextFacts) -> None:
        """Take deliveries apart.

        Args:
            texts: a relation of texts (row_number, text).
            facts: what is known of all of them.

        Leaves two tables: ``clear_deliveries`` (line, messages) for the deliveries whose messages are all strict JSON,
        and ``messages`` for theirs and for others.
        """
        self._facts = facts
        form = BatchForm(self._service.batch_key, self._in_sql.shared_keys, sorted(self._service.secret_keys))
        shape = shape_sql(self._in_sql.asked(), self._in_sql.kind, facts)
        messages = messages_sql(texts, form, shape, self._rules.times, facts)
        with self._parts.computed_once():
            self._connection.execute(f"create or replace temp table messages as {messages}")
        self._judge()
        with self._parts.registered("strict_shapes", shapes_table(self._strict)):
            self._connection.execute(
                """
                create or replace temp table clear_deliveries as
                select line, count(*) as messages from messages
                group by line
                having bool_and(coalesce(shape in (from strict_shapes), false))
                """
            )

    def write(self, numbered: str) -> pa.Table:
        """Write the messages that come out right.

        Args:
            numbered: the messages that may be written: a relation like ``messages``, with row_number.

        Returns: row_number, line and place of the others.
        """
        left = f"(select row_number, line, place from {numbered})"
        with self._parts.registered("good_shapes", shapes_table(self._good)):
            good = f"(from {numbered} where shape in (from good_shapes))"
            for raw in self._raws(good, self._present):
                select = landed_select(raw, self._rules)
                rest = self._parts.write(select, computes_ids="event_id" not in raw.fields, missing_from=left)
                assert rest is not None
                if not rest.num_rows:
                    break
                with self._parts.registered("rest", rest):
                    self._connection.execute("create or replace temp table left_over as from rest")
                left = "left_over"
        return rest

    def _raws(self, relation: str, present: Set[Path] | None = None) -> Iterator[RawRows]:
        """The rows of messages that have an id, and those of messages that have none.

        ``present`` are the values that the messages of the relation have, if that is known.
        """
        reader = Reader(present)
        raw = raw_messages(relation, reader, self._in_sql.columns(reader, self._others, self._received_at), self._facts)
        yield raw
        nameless = f"select * replace (ok and event_id is null as ok) from ({raw.sql})"
        yield replace(raw, sql=nameless, fields=[name for name in raw.fields if name != "event_id"])

    def _judge(self) -> None:
        """Find out which of the new shapes are strict and which are good."""
        if len(self._seen) > REMEMBERED_SHAPES:
            self._seen, self._strict, self._good, self._present = set(), set(), set(), set()
        samples = self._samples()
        exact: dict[int, dict[str, Any] | None] = {}
        broken: set[int] = set()
        for sample in samples:
            try:
                exact[sample.id] = self._exact.row(
                    strictjson.parse(sample.text), sample.received_at, sample.channel, sample.shared
                )
            except Refused:
                broken.add(sample.shape)
        shapes = {sample.shape for sample in samples}
        self._seen |= shapes
        self._strict |= shapes - broken
        self._learn(samples)
        by_sql = self._by_sql([sample.id for sample in samples if sample.shape not in broken])
        right = {sample.shape for sample in samples if sample.id in by_sql}
        wrong = {sample.shape for sample in samples if sample.id in by_sql and by_sql[sample.id] != exact[sample.id]}
        good = right - wrong - broken
        self._good |= good
        # Which values a message has follows from its shape.
        self._present.update(path for sample in samples if sample.shape in good for path in _paths(sample.text))

    def _samples(self) -> list[_Sample]:
        found = self._connection.execute(
            "select shape, min(id), max(id) from messages where shape is not null group by shape order by count(*) desc"
        ).fetchall()
        new = [row for row in found if row[0] not in self._seen][:MOST_SHAPES]
        shapes = {number: shape for shape, first, last in new for number in (first, last)}
        shared = "".join(f", {quote_identifier(f'shared_{key}')}" for key in self._in_sql.shared_keys)
        rows = self._connection.execute(
            f"select id, text, received_at, channel{shared} from messages where id in $ids", {"ids": list(shapes)}
        ).fetchall()
        return [
            _Sample(shapes[id_], id_, text, received, channel, dict(zip(self._in_sql.shared_keys, said, strict=True)))
            for id_, text, received, channel, *said in rows
        ]

    def _by_sql(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What SQL brings out, by the id of the message."""
        if not ids:
            return {}
        found: dict[int, dict[str, Any]] = {}
        relation = f"(select id as row_number, * from messages where id in ({', '.join(map(str, ids))}))"
        for raw in self._raws(relation):
            found |= rows_by_sql(self._parts, raw, self._rules)
        return found

    def _learn(self, samples: Iterable[_Sample]) -> None:
        """Note the keys that no field answers to, as far as there is room."""
        for path, known in self._others.items():
            keys = dict.fromkeys(key for sample in samples for key in _keys_at(sample.text, path))
            others = self._in_sql.unhandled(path, keys, self._service.secret_keys)
            known += [key for key in others if key not in known]
            del known[MAX_PLANNED_KEYS:]


def _paths(text: str) -> Iterator[Path]:
    """Where values stand in a message, those within arrays left out."""
    waiting: list[tuple[Path, Any]] = [((), json.loads(text))]
    while waiting:
        path, value = waiting.pop()
        yield path
        if isinstance(value, dict):
            waiting += [((*path, key), inner) for key, inner in value.items()]


def _keys_at(text: str, path: Path) -> Iterable[str]:
    """The keys of an object inside a message."""
    try:
        value = json.loads(text)
    except ValueError:
        return ()
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else ()
