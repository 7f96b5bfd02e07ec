"""Rows of any query in every format."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.table import Column, Table
from cli.cells import csv_cell, json_cell, text_cell
from cli.output import emit_table
from cli.screen import duration, printable, render_facts, render_table
from models.errors import GdpError, UsageError
from tests.engines import asked


def rows_of(sql: str) -> pa.Table:
    with asked() as connection:
        return connection.sql(sql).to_arrow_table()


@pytest.fixture
def printed(capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """What emit_table writes to standard output."""

    def emit(sql: str, **options: Any) -> str:
        emit_table(rows_of(sql), output=None, **options)
        return capfdbinary.readouterr().out.decode()

    return emit


def test_facts_stay_within_the_terminal() -> None:
    """A long text goes on below itself; where nobody limits the width it stays on its line."""
    facts = [("home", "/a/path/that/is/longer/than/the/line"), ("built", "as of now, and of much more besides")]
    assert render_facts(facts, 30) == (
        "home   /a/path/that/is/longer/than/the/line\nbuilt  as of now, and of much\n       more besides\n"
    )
    assert render_facts(facts, None).count("\n") == 2


@pytest.mark.parametrize("format", ["table", "json", "csv", "parquet"])
def test_a_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes], format: Any) -> None:
    """Not a file of that name; Parquet goes into a pipe this way."""
    emit_table(rows_of("select 41 + 1 as n"), format=format, output=Path("-"))
    out = capfdbinary.readouterr().out
    assert not Path("-").exists()
    assert (pq.read_table(pa.BufferReader(out)).to_pylist() == [{"n": 42}]) if format == "parquet" else b"42" in out


def test_json_is_a_list_of_objects(printed: Any) -> None:
    """Every type has one form: times in UTC with a Z, decimals with their digits, what is not finite as null."""
    text = printed(
        "select 1 as n, 9223372036854775807 as big, 12.50::decimal(18, 2) as money, 0.5::double as half,"
        " 'nan'::double as odd, null as nothing, true as yes, date '2026-01-02' as day,"
        " timestamptz '2026-01-02 03:04:05+02' as at, timestamp '2026-01-02 03:04:05' as naive, 'é\"\n' as txt,"
        " ['a', null] as list, {'k': 1.5::double} as struct, 'ab'::blob as bytes, interval '90' minute as span",
        format="json",
    )
    assert '"money": 12.50' in text
    assert json.loads(text) == [
        {
            "n": 1,
            "big": 9223372036854775807,
            "money": 12.5,
            "half": 0.5,
            "odd": None,
            "nothing": None,
            "yes": True,
            "day": "2026-01-02",
            "at": "2026-01-02T01:04:05Z",
            "naive": "2026-01-02T03:04:05",
            "txt": 'é"\n',
            "list": ["a", None],
            "struct": {"k": 1.5},
            "bytes": "6162",
            "span": "01:30:00",
        }
    ]


def test_no_rows_are_an_empty_list(printed: Any) -> None:
    """JSON stays JSON, CSV keeps its head."""
    assert printed("select 1 as a where false", format="json") == "[]\n"
    assert printed("select 1 as a where false", format="csv") == "a\n"


def test_a_repeated_name_is_told_apart(printed: Any) -> None:
    """An object has each key once."""
    assert json.loads(printed("select 1 as a, 2 as a, 3 as a_2", format="json")) == [{"a": 1, "a_2": 2, "a_2_2": 3}]


def test_a_time_that_cannot_be_shown() -> None:
    """Infinity is no date; one line says what to do."""
    with pytest.raises(GdpError, match="cast it to text"):
        emit_table(rows_of("select timestamptz 'infinity' as t"), format="json", output=None)


def test_parquet_needs_a_file(tmp_path: Path) -> None:
    """Binary rows never go to a terminal."""
    with pytest.raises(UsageError, match="--output FILE"):
        emit_table(rows_of("select 1 as a"), format="parquet", output=None)
    emit_table(rows_of("select 1 as a"), format="parquet", output=tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"a": 1}]


def test_a_long_table_says_what_it_leaves_out(printed: Any) -> None:
    """A person is shown the first rows; a program gets all."""
    assert "(and 500 more rows: --format csv, json or parquet)" in printed("from range(1000) t(n)", format="table")
    assert len(printed("from range(1000) t(n)", format="csv").splitlines()) == 1001


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_formulas_are_texts(start: str) -> None:
    """A text that a spreadsheet would run gets a ' in front; a negative number does not."""
    assert csv_cell(start + "1+1").strip('"') == "'" + start + "1+1"
    assert csv_cell(-1) == "-1"
    assert csv_cell("a=1") == "a=1"
    assert (csv_cell(None), csv_cell("")) == ("", '""')


@given(st.lists(st.tuples(st.text(), st.none() | st.floats(allow_nan=True)), max_size=5))
def test_csv_and_json_can_be_read_back(rows: list[tuple[str, float | None]]) -> None:
    """Whatever the values are, the formats stay well formed and lose nothing but the guard in front of formulas."""
    from cli.output import _csv

    read = list(csv.reader(io.StringIO(_csv(["text", "x"], rows), newline="")))
    assert [text.removeprefix("'") for text, _ in read[1:]] == [text.removeprefix("'") for text, _ in rows]
    for text, number in rows:
        assert json.loads(json_cell(text)) == text
        assert json.loads(json_cell(number)) == (number if number is not None and math.isfinite(number) else None)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (0.4, "0s"),
        (59.6, "1m"),
        (3_600, "1h"),
        (3_660, "1h 1m"),
        (86_400, "1d"),
        (90_061, "1d 1h"),
        (86_460, "1d"),
    ],
)
def test_lengths_of_time_are_short(seconds: float, shown: str) -> None:
    """Two units at most."""
    assert duration(seconds) == shown


@given(st.text())
def test_a_terminal_obeys_nothing_from_the_data(text: str) -> None:
    """One line of printable characters, whatever the text."""
    assert printable(text).isprintable()


@given(
    st.integers(-40, 40),
    st.integers(-40, 40),
    st.one_of(st.integers(-(10**12), 10**12), st.sampled_from([0, 1, -1, 3_600_000_000])),
)
def test_an_interval_is_written_as_duckdb_writes_it(months: int, days: int, microseconds: int) -> None:
    """Years and months, days, and a clock, each with its own sign."""
    with asked() as connection:
        relation = connection.sql(
            "select to_months($months) + to_days($days) + to_microseconds($microseconds) as span",
            params={"months": months, "days": days, "microseconds": microseconds},
        )
        (cell,) = relation.to_arrow_table()["span"].to_pylist()
        ((text,),) = relation.select("span::varchar").fetchall()
    assert text_cell(cell) == text


def test_long_texts_share_what_room_there_is() -> None:
    """The widest is shortened first, and none of them further than the others."""
    table = Table((Column("a"), Column("short"), Column("b")), (("x" * 60, "y" * 8, "z" * 90),))
    line = render_table(table, 60).splitlines()[1]
    assert sorted(map(len, line.split())) == [8, 24, 24]
