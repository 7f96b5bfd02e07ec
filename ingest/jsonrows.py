"""JSON events on their way to landing files: in bulk by SQL, and one by one where SQL has doubts."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from ingest import strictjson
from ingest.blocktaker import BlockTaker, all_facts, facts_of, pieces_of
from ingest.eventcheck import Rules, check_event
from ingest.jsongate import Lines
from ingest.jsonshape import Plan
from ingest.jsonsql import TextFacts, raw_events, shapes_select
from ingest.jsontemplate import Template, template_of, templated_events
from ingest.landing_sql import RawRows, landed_select
from ingest.parts import Parts
from ingest.reasons import Refused, RefusedRow
from models import limits

#: A landing file is written when so many lines, or so many bytes of them, are waiting; each is allowed twice the lines
#: of the one before, so that the first is soon written while reading goes on, and a large file does not become many.
FIRST_BATCH_LINES = 250_000
BATCH_LINES = 1_000_000
BATCH_BYTES = 512 << 20
#: A template is looked for from so many lines on: it takes two more statements.
TEMPLATE_LINES = 5_000
#: It is tried on so many lines, and used if it finds so many of them again.
_TEMPLATE_TRIAL = 20_000
_WORTHWHILE = 0.7
_MOST_SHAPES = 1_000
#: Shapes are looked at for so many lines at a time.
_SLICE_LINES = 50_000
#: How many texts are looked at to learn which keys a file has.
_SAMPLE = 100
_REMEMBERED_SHAPES = 100_000


class JsonRows(BlockTaker):
    """Takes the JSON events of one input, block by block.

    The keys that occur (``Plan``) and which shapes SQL may read are learnt on the way.
    """

    def __init__(self, parts: Parts, rules: Rules) -> None:
        super().__init__(parts)
        self._rules = rules
        self._plan = Plan()
        self._shapes: dict[int, bool] = {}
        self._batch_lines = FIRST_BATCH_LINES
        self._odd: list[tuple[pa.Table, TextFacts]] = []
        parts.connection.execute("create temp table doubtful (row_number bigint)")

    def take(self, lines: Lines) -> None:
        """Take a block of lines."""
        self._refused.extend(lines.refused)
        self.records += len(lines.refused)
        self._blocks.append(lines)
        waiting = sum(len(block.texts) for block in self._blocks)
        if waiting >= self._batch_lines or self._waiting_bytes() >= BATCH_BYTES:
            self._write_batch()
            self._batch_lines = min(2 * self._batch_lines, BATCH_LINES)

    def finish(self) -> None:
        """Write what is waiting."""
        self._write_batch()
        self._write_odd()
        self._parts.flush_checked()

    def _write_batch(self) -> None:
        """Write the texts that a template finds again, and put the others aside."""
        if not self._blocks:
            return
        blocks, table = self._take_waiting()
        facts = facts_of(blocks)
        left = self._write_templated(table, facts) if table.num_rows >= TEMPLATE_LINES else table
        if left.num_rows:
            self._odd.append((left, facts))
        if sum(odd.nbytes for odd, _ in self._odd) >= BATCH_BYTES / 4:
            self._write_odd()

    def _write_templated(self, table: pa.Table, facts: TextFacts) -> pa.Table:
        """Write the texts of a batch that its template finds again; returns the others."""
        template = template_of(_sample_of(table))
        if template is None:
            return table
        first = table.slice(0, _TEMPLATE_TRIAL)
        shapes, found = self._shapes_within(template, first, facts)
        if found < _WORTHWHILE * first.num_rows:
            return table
        raw = templated_events("batch", template, facts, shapes)
        return self._write(raw, table)

    def _shapes_within(self, template: Template, table: pa.Table, facts: TextFacts) -> tuple[list[int], int]:
        """The shapes of objects in templated texts that hold no key twice, and how many rows have them."""
        raw = templated_events("batch", template, facts, None)
        with self._parts.registered("batch", table):
            found = self._parts.connection.execute(
                f"select shape, count(*), min(row_number) from ({raw.sql}) where ok group by shape"
            ).fetchall()
            if len(found) > _MOST_SHAPES:
                return [], 0
            texts = self._texts_of([number for _, _, number in found], "batch")
        good = {}
        for shape, count, number in found:
            if Plan().learn([_loosely_parsed(texts[number])]).covers(texts[number]):
                good[shape] = count
        return list(good), sum(good.values())

    def _write(self, raw: RawRows, table: pa.Table) -> pa.Table:
        """Write the rows of ``batch`` that are plainly in order; returns the others."""
        with self._parts.registered("batch", table):
            computes_ids = "event_id" not in raw.fields
            select = landed_select(raw, self._rules)
            left = self._parts.write(select, computes_ids=computes_ids, missing_from="batch")
        assert left is not None
        self.records += table.num_rows - left.num_rows
        return left

    def _write_odd(self) -> None:
        """Write the texts that were put aside: in bulk those whose shapes SQL may read, then one by one."""
        waiting, self._odd = self._odd, []
        if not waiting:
            return
        facts = all_facts(facts for _, facts in waiting)
        table = pa.concat_tables([odd for odd, _ in waiting])
        for start in range(0, table.num_rows, _SLICE_LINES):
            self._judge_slice(table.slice(start, _SLICE_LINES), facts)
        ((doubtful,),) = self._parts.connection.execute("select count(*) from doubtful").fetchall()
        relation = "(select * from batch anti join doubtful using (row_number))" if doubtful else "batch"
        left = self._write(raw_events(relation, self._plan, facts), table)
        self._parts.connection.execute("truncate doubtful")
        self._check_one_by_one(left)

    def _judge_slice(self, table: pa.Table, facts: TextFacts) -> None:
        """Note the lines that SQL may not read."""
        with self._parts.registered("lines", table):
            self._learn_from_sample(table)
            doubtful = self._doubtful_shapes(facts)
            if doubtful:
                self._parts.connection.execute(
                    "insert into doubtful select row_number from shapes where shape is null or shape in $shapes",
                    {"shapes": [shape for shape in doubtful if shape is not None]},
                )

    def _doubtful_shapes(self, facts: TextFacts) -> list[int | None]:
        """The shapes among ``lines`` that SQL may not read; ``shapes`` tells those of all lines."""
        connection, known = self._parts.connection, self._plan
        for _ in range(2):
            connection.execute(f"create or replace temp table shapes as {shapes_select('lines', known, facts)}")
            found = connection.execute("select shape, min(row_number) from shapes group by shape").fetchall()
            new = {number: shape for shape, number in found if shape is not None and shape not in self._shapes}
            texts = self._texts_of(list(new), "lines")
            self._plan = known.learn(map(_loosely_parsed, texts.values()))
            if (self._plan.object_keys, self._plan.identifier_keys) == (known.object_keys, known.identifier_keys):
                break
            # Other parts of the texts make up a shape now.
            self._shapes, known = {}, self._plan
        if len(self._shapes) > _REMEMBERED_SHAPES:
            self._shapes = {}
        self._shapes.update((new[number], self._plan.covers(text)) for number, text in texts.items())
        return [shape for shape, _ in found if shape is None or not self._shapes.get(shape, False)]

    def _texts_of(self, numbers: list[int], relation: str) -> dict[int, str]:
        return dict(
            self._parts.connection.execute(
                f"select row_number, text from {relation} where row_number in $numbers", {"numbers": numbers}
            ).fetchall()
        )

    def _learn_from_sample(self, table: pa.Table) -> None:
        plan = self._plan.learn(map(_loosely_parsed, _sample_of(table)))
        if (plan.object_keys, plan.identifier_keys) != (self._plan.object_keys, self._plan.identifier_keys):
            self._shapes = {}
        self._plan = plan

    def _check_one_by_one(self, table: pa.Table) -> None:
        """Judge texts by themselves; blank ones are no records."""
        for piece in pieces_of(table):
            checked = []
            for number, text in zip(piece["row_number"].to_pylist(), piece["text"].to_pylist(), strict=True):
                if not text.strip(" \t\r\n"):
                    continue
                self.records += 1
                try:
                    checked.append(check_event(strictjson.parse(text), self._rules) | {"row_number": number})
                except Refused as refusal:
                    self._refused.append(RefusedRow(number, refusal.reason, refusal.detail, text.encode()))
            self._parts.add_checked(checked)


def _sample_of(table: pa.Table) -> list[str]:
    column = table["text"]
    return [column[row].as_py() for row in range(0, table.num_rows, max(1, table.num_rows // _SAMPLE))]


def _loosely_parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


assert limits.MAX_DEPTH < 100, "json.loads recurses"
