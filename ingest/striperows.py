"""Deliveries of Stripe on their way to landing files: in bulk by SQL, and one by one where SQL has doubts."""

from __future__ import annotations

import pyarrow as pa

from ingest import strictjson
from ingest.blocktaker import BlockTaker, facts_of, pieces_of
from ingest.duckfiles import parquet_files
from ingest.jsongate import Lines
from ingest.parts import Parts
from ingest.reasons import Refused, RefusedRow
from ingest.stripecheck import StripeRules, check_text
from ingest.stripesql import bodies_select, landed_select

#: So much text is looked at at a time.
BATCH_BYTES = 128 << 20
_REMEMBERED_SHAPES = 100_000


class StripeRows(BlockTaker):
    """Takes the texts of one input, block by block.

    Args:
        parts: where rows land.
        rules: what holds for every delivery.
    """

    def __init__(self, parts: Parts, rules: StripeRules) -> None:
        super().__init__(parts)
        self._rules = rules
        self._shapes: dict[int, bool] = {}

    def take(self, lines: Lines) -> None:
        """Take a block of texts."""
        self._refused.extend(lines.refused)
        self.records += len(lines.refused)
        self._blocks.append(lines)
        if self._waiting_bytes() >= BATCH_BYTES:
            self._write_batch()

    def finish(self) -> None:
        """Write what is waiting."""
        self._write_batch()
        self._parts.flush_checked()

    def _write_batch(self) -> None:
        if not self._blocks:
            return
        blocks, batch = self._take_waiting()
        connection = self._parts.connection
        with self._parts.registered("batch", batch):
            with self._parts.computed_once():
                connection.execute(f"create or replace temp table bodies as {bodies_select('batch', facts_of(blocks))}")
            self._judge_shapes()
            judged = "(from bodies where shape in (select shape from good))"
            select = landed_select(judged, self._rules, self._parts.landed_at)
            left = self._parts.write(select, missing_from="batch")
            assert left is not None
            self.records += batch.num_rows - left.num_rows
        self._check_one_by_one(left)

    def _judge_shapes(self) -> None:
        """Find out which shapes in ``bodies`` are strict JSON, by one text of each; the table ``good`` lists them."""
        connection = self._parts.connection
        found = connection.execute(
            "select shape, arg_min(body, row_number) from bodies where shape is not null group by shape"
        ).fetchall()
        if len(self._shapes) > _REMEMBERED_SHAPES:
            self._shapes = {}
        for shape, body in found:
            if shape not in self._shapes:
                self._shapes[shape] = _is_strict(body)
        good = [shape for shape, _ in found if self._shapes[shape]]
        connection.execute(
            "create or replace temp table good as select unnest($shapes::ubigint[]) as shape", {"shapes": good}
        )

    def _check_one_by_one(self, table: pa.Table) -> None:
        """Judge texts by themselves; blank ones are no records."""
        for piece in pieces_of(table):
            checked = []
            for number, text in zip(piece["row_number"].to_pylist(), piece["text"].to_pylist(), strict=True):
                if not text.strip(" \t\r\n"):
                    continue
                for outcome in check_text(text, number, self._rules):
                    self.records += 1
                    if isinstance(outcome, RefusedRow):
                        self._refused.append(outcome)
                    else:
                        checked.append(outcome)
            self._parts.add_checked(checked)


def count_untimed(parts: Parts) -> int:
    """How many objects landed as of now, because nobody says when they were fetched."""
    files = parquet_files(part.path for part in parts.finished)
    if not files:
        return 0
    ((count,),) = parts.connection.execute(f"select count(*) from {files} where fetched_at = landed_at").fetchall()
    return int(count)


def _is_strict(text: str) -> bool:
    try:
        strictjson.parse(text)
    except Refused:
        return False
    return True
