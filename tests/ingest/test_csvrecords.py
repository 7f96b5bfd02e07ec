"""The fast way through a CSV file and the one that looks at each record give the same, in pieces of any size."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import csvfile
from ingest.csvrecords import Grammar
from models import limits

PIECES = ("a", "é", '"', ",", "\n", "\r\n", "\r", '""', '"x"', '"a,b"', '"\n"', "\0", "\ufeff", " ")
#: Bytes of a file, some of which are no UTF-8.
texts = st.lists(st.sampled_from([piece.encode() for piece in PIECES] + [b"\xff"]), max_size=40).map(b"".join)


def read(content: bytes) -> Any:
    """Everything that can be told of the rows of a file with two columns."""
    file = csvfile.read_csv(io.BytesIO(b"h1,h2\n" + content))
    assert file is not None
    blocks = list(file.rows)
    rows = [tuple(row.values()) for block in blocks for row in block.table.to_pylist()]
    return rows, [row for block in blocks for row in block.refused]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=texts, block=st.sampled_from([1, 7, 40, 4 << 20]), limit=st.sampled_from([9, 25, 1 << 20]))
def test_both_ways_agree(content: bytes, block: int, limit: int) -> None:
    """Rows, their numbers, reasons, lines and what is kept of refused ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_EVENT_BYTES", limit)
        patch.setattr("ingest.csvrecords.KEPT_BYTES", limit)
        with pytest.MonkeyPatch.context() as slow:
            slow.setattr(Grammar, "sound_end", lambda *_, **__: 0)
            expected = read(content)
        patch.setattr(csvfile, "BLOCK_BYTES", block)
        assert read(content) == expected


cells = st.text(st.sampled_from("ab,;\"'\n\r\té 0"), max_size=6)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(cells, cells), max_size=12), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, str]], quoting: Any) -> None:
    """Quoted or not, with newlines, quotes and delimiters inside cells."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting).writerows(rows)
    found, refused = read(text.getvalue().encode())
    assert found == [(number, *row) for number, row in enumerate(rows, start=1)]
    assert refused == []


def test_one_odd_row_in_a_large_block_leaves_the_others_to_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only some kilobytes around it are looked at record by record."""
    looked_at: list[int] = []
    sift = Grammar.sift

    def noting(grammar: Grammar, text: bytes, *arguments: Any, **options: Any) -> Any:
        sifted = sift(grammar, text, *arguments, **options)
        looked_at.append(sifted.end)
        return sifted

    monkeypatch.setattr(Grammar, "sift", noting)
    rows = [b"a,b\n"] * 100_000
    rows[40_000], rows[80_000] = b"a\n", b'"a"b,c\n'
    found, refused = read(b"".join(rows))
    assert (len(found), [row.row_number for row in refused]) == (99_998, [40_001, 80_001])
    assert 0 < sum(looked_at) < 200_000
