"""What takers of JSON texts have in common: texts wait in blocks, and are written many at a time."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from ingest.jsongate import Lines
from ingest.jsonsql import TextFacts
from ingest.parts import Parts
from ingest.reasons import RefusedRow


class BlockTaker:
    """The part of a ``Taker`` that waits: blocks of texts, and records that were refused.

    Args:
        parts: where rows land.
    """

    def __init__(self, parts: Parts) -> None:
        self.records = 0
        self._parts = parts
        self._refused: list[RefusedRow] = []
        self._blocks: list[Lines] = []

    def drain_refused(self) -> list[RefusedRow]:
        """The records refused since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def _waiting_bytes(self) -> int:
        return sum(block.texts.nbytes for block in self._blocks)

    def _take_waiting(self) -> tuple[list[Lines], pa.Table]:
        """The blocks that waited, and their texts as one table (row_number, text)."""
        blocks, self._blocks = self._blocks, []
        numbers = pa.chunked_array([block.numbers for block in blocks], pa.int64())
        texts = pa.chunked_array([block.texts for block in blocks], pa.string())
        return blocks, pa.table({"row_number": numbers, "text": texts})


def facts_of(blocks: Iterable[Lines]) -> TextFacts:
    """What holds for the texts of all blocks."""
    return all_facts(
        TextFacts(
            is_ascii=block.is_ascii,
            has_escapes=block.has_escapes,
            has_arrays=block.has_arrays,
            has_inner_objects=block.objects > (1 if block.has_arrays else 2),
            depth=block.depth,
        )
        for block in blocks
    )


def all_facts(several: Iterable[TextFacts]) -> TextFacts:
    """What holds for all texts of several, each of which something is known of."""
    facts = list(several)
    return TextFacts(
        is_ascii=all(one.is_ascii for one in facts),
        has_escapes=any(one.has_escapes for one in facts),
        has_arrays=any(one.has_arrays for one in facts),
        has_inner_objects=any(one.has_inner_objects for one in facts),
        depth=max(one.depth for one in facts),
    )


def pieces_of(table: pa.Table, piece_bytes: int = 16 << 20) -> list[pa.RecordBatch]:
    """The rows of a table in pieces that fit into memory as Python objects."""
    rows = max(1, piece_bytes * table.num_rows // max(1, table.nbytes))
    pieces: list[pa.RecordBatch] = table.to_batches(max_chunksize=rows)
    return pieces
