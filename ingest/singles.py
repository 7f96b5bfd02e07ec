"""Deliveries of one message each, written straight from their texts where a template finds them again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from ingest.delivery import open_delivery
from ingest.eventcheck import Rules
from ingest.jsonsql import TextFacts
from ingest.landing_sql import landed_select
from ingest.messagesql import MessageSql, raw_rows
from ingest.messagetemplate import Form, Node, Template, template_of
from ingest.parts import Parts
from ingest.reasons import Refused
from ingest.samples import MOST_SHAPES, REMEMBERED_SHAPES, ExactWay, rows_by_sql, shapes_table
from ingest.service import Service, messages_of
from ingest.singlesql import MessageForm, templated_messages

#: A template is made of so many texts, and tried on so many, which are taken from so many places of a batch.
SAMPLE = 300
_TRIAL = 4_000
PIECES = 50
#: It is used if it finds this share again; as long as it finds almost all, nothing is tried anew.
WORTHWHILE = 0.7
_ENOUGH = 0.98


class Singles:
    """Writes the deliveries of one service that hold one message each and look like each other.

    Args:
        parts: where the rows go.
        rules: what holds for all rows.
        service: whose deliveries they are.
        received_at: when deliveries were received that do not say so themselves.
    """

    def __init__(self, parts: Parts, rules: Rules, service: Service, received_at: datetime | None) -> None:
        self._parts = parts
        self._rules = rules
        self._service = service
        self._in_sql = service.in_sql
        self._received_at = received_at
        self._exact = ExactWay(service, rules, received_at)
        self._template: Template | None = None
        self._seen: set[int] = set()
        self._good: set[int] = set()
        self._found = 0.0
        self._are_mixed = False
        #: Until a text turns up that is no JSON.
        self._are_json = True

    def write(self, texts: pa.Table, facts: TextFacts, accepts: Callable[[pa.Table], bool]) -> pa.Table:
        """Write those messages that are plainly in order.

        Args:
            texts: deliveries (row_number, text).
            facts: what is known of all of them.
            accepts: told which are left, says whether the others may be written.

        Returns: the texts that are left.
        """
        if self._are_mixed:
            return texts
        if self._found < _ENOUGH:
            template = self._template_for(texts)
            if template is None:
                return texts
            if template != self._template or len(self._seen) > REMEMBERED_SHAPES:
                self._template, self._seen, self._good = template, set(), set()
            trial = _spread(texts, _TRIAL)
            if self._try(trial, facts) < WORTHWHILE * trial.num_rows:
                return texts
        try:
            left = self._written(texts, facts, accepts)
        except duckdb.InvalidInputException:
            if not self._are_json:
                raise
            self._are_json = False
            left = self._written(texts, facts, accepts)
        self._are_mixed = left.num_rows == texts.num_rows
        self._found = 1 - left.num_rows / texts.num_rows
        return left

    def _written(self, texts: pa.Table, facts: TextFacts, accepts: Callable[[pa.Table], bool]) -> pa.Table:
        query, sql = self._templated("singles", facts, are_json=self._are_json)
        with (
            self._parts.registered("singles", texts),
            self._parts.registered("good_shapes", shapes_table(self._good)),
        ):
            raw = raw_rows(f"from ({query}) where shape in (from good_shapes)", sql, is_plain=facts.is_ascii)
            left = self._parts.write(landed_select(raw, self._rules), missing_from="singles", accepts=accepts)
        assert left is not None
        return left

    def _template_for(self, texts: pa.Table) -> Template | None:
        """A template for texts like these, if they are single messages."""
        sample = _spread(texts, SAMPLE)["text"].to_pylist()
        deliveries = [_loosely_parsed(text) for text in sample]
        service = self._service
        is_spaced = '": ' in sample[0]
        template = template_of(deliveries, self._in_sql.opened, service.batch_key, is_spaced=is_spaced)
        if template is None or service.batch_key in template.keys_at(()):
            return None
        if template.batch is not None:
            beside = {node.path[-1]: node for node in template.nodes[template.batch].members}
            known = {service.batch_key, *service.secret_keys}
            if any(key not in known and not self._is_shared(node) for key, node in beside.items()):
                return None
        return template

    def _is_shared(self, node: Node) -> bool:
        """Whether SQL reads what a batch says there."""
        return node.path[-1] in self._in_sql.shared_keys and node.form is Form.TEXT and not node.has_null

    def _templated(self, relation: str, facts: TextFacts, *, are_json: bool) -> tuple[str, MessageSql]:
        template, in_sql = self._template, self._in_sql
        assert template is not None
        secrets = self._service.secret_keys
        others = {path: in_sql.unhandled(path, template.keys_at(path), secrets) for path in in_sql.opened}
        form = MessageForm(
            kind=in_sql.kind,
            shared=in_sql.shared_keys,
            columns=lambda reader: in_sql.columns(reader, others, self._received_at),
        )
        return templated_messages(relation, template, form, self._rules.times, facts, are_json=are_json)

    def _try(self, texts: pa.Table, facts: TextFacts) -> int:
        """Find out which of the new shapes among some texts are good; returns how many of the texts have a good one."""
        query, sql = self._templated("trial", facts, are_json=False)
        with self._parts.registered("trial", texts):
            with self._parts.computed_once():
                counts = self._parts.connection.execute(
                    f"select shape, count(*), min(row_number), max(row_number) from ({query}) where shape is not null"
                    " group by shape order by count(*) desc"
                ).fetchall()
            new = [row for row in counts if row[0] not in self._seen][:MOST_SHAPES]
            shapes = {number: shape for shape, _, first, last in new for number in (first, last)}
            # Not put into a table: where a column is null throughout, its statistics break DuckDB 2.0's optimizer.
            chosen = ", ".join(map(str, [0, *shapes]))
            raw = raw_rows(f"from ({query}) where row_number in ({chosen})", sql, is_plain=facts.is_ascii)
            by_sql = rows_by_sql(self._parts, raw, self._rules)
            samples = self._parts.connection.execute(
                f"select row_number, text from trial where row_number in ({chosen})"
            ).fetchall()
        wrong = {
            shapes[number]
            for number, text in samples
            if number not in by_sql or not self._comes_out(text, by_sql[number])
        }
        self._seen.update(shapes.values())
        self._good.update(set(shapes.values()) - wrong)
        return sum(count for shape, count, _, _ in counts if shape in self._good)

    def _comes_out(self, text: str, row: dict[str, Any]) -> bool:
        """Whether SQL brings a message out as the exact way does."""
        assert self._template is not None
        try:
            delivery = open_delivery(text, self._rules.times)
        except Refused:
            return False
        is_plain = self._template.holds(_loosely_parsed(text))
        messages = list(messages_of(delivery.value, self._service))
        if not is_plain or len(messages) != 1:
            return False
        ((_, message),) = messages
        return row == self._exact.row(message, delivery.received_at, delivery.channel)


def _loosely_parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _spread(table: pa.Table, rows: int) -> pa.Table:
    """So many rows of a table, from all over it; nothing is copied."""
    piece = max(1, rows // PIECES)
    step = max(piece, table.num_rows // PIECES)
    return pa.concat_tables([table.slice(start, piece) for start in range(0, table.num_rows, step)])
