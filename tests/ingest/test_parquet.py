"""Parquet files: types are kept, naive times are read in a zone, damaged files land nothing."""

from __future__ import annotations

import gzip
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.mapping import load_mapping
from ingest.quarantine import quarantined_rows
from tests.ingest.landings import UTC, counts, land, landed, reasons
from warehouse.home import Home

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)


def parquet(**columns: Any) -> bytes:
    """A Parquet file; a value is a list, or an Arrow array where the type matters."""
    buffer = BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


TYPES: list[tuple[pa.DataType, Any, str]] = [
    (pa.string(), 'a"b', r'"a\"b"'),
    (pa.string(), "", '""'),
    (pa.int64(), 2**62, "4611686018427387904"),
    (pa.uint64(), 2**64 - 1, "18446744073709551615"),
    (pa.int8(), -1, "-1"),
    (pa.float64(), 2.5, "2.5"),
    (pa.float32(), 0.1, "0.1"),
    (pa.decimal128(10, 2), Decimal("1.50"), "1.5"),
    (pa.decimal128(30, 2), Decimal("1234567890123456789.25"), "1234567890123456789.25"),
    (pa.bool_(), True, "true"),
    (pa.date32(), date(2026, 1, 30), '"2026-01-30"'),
    (pa.timestamp("us"), NAIVE.replace(microsecond=5), '"2026-01-30T12:00:00.000005"'),
    (pa.timestamp("ns", "UTC"), NOON, '"2026-01-30T12:00:00Z"'),
    (pa.binary(), b"\xff", '"/w=="'),
    (pa.list_(pa.int64()), [1, 2], "[1,2]"),
    (pa.struct([("a", pa.int64()), ("b", pa.string())]), {"a": 1, "b": "x"}, '{"a":1,"b":"x"}'),
]


@pytest.mark.parametrize("trusted", [False, True])
def test_properties_keep_their_types(home: Home, trusted: bool) -> None:
    """A number stays a number, a time becomes ISO text, nested values become JSON; null is absent."""
    values = {f"p{number:02d}": pa.array([value, None], type_) for number, (type_, value, _) in enumerate(TYPES)}
    content = parquet(event_id=["e1", "e2"], event_type=["x", "x"], occurred_at=[NOON, NOON], **values)
    assert counts(land(home, content, "a.parquet", trusted=trusted)) == (2, 2, 0, 0)
    expected = ",".join(f'"p{number:02d}":{text}' for number, (_, _, text) in enumerate(TYPES))
    assert landed(home, "event_id", "properties") == [("e1", "{" + expected + "}"), ("e2", "{}")]


@pytest.mark.parametrize(
    ("times", "tz", "expected"),
    [
        (pa.array([NAIVE], pa.timestamp("ms")), None, NOON),
        (
            pa.array([NAIVE.replace(year=2025, month=7)], pa.timestamp("us")),
            "Europe/Berlin",
            datetime(2025, 7, 30, 10, tzinfo=UTC),
        ),
        (pa.array([NOON], pa.timestamp("us", "Asia/Tokyo")), "Europe/Berlin", NOON),
        (pa.array([date(2026, 1, 30)], pa.date32()), "Europe/Berlin", NOON - timedelta(hours=13)),
        (pa.array([1769774400], pa.int64()), None, NOON),
        (pa.array([1769774400123], pa.int64()), None, NOON + timedelta(milliseconds=123)),
        (pa.array([1769774400.5], pa.float64()), None, NOON + timedelta(milliseconds=500)),
        (pa.array(["2026-01-30 12:00"], pa.string()), None, NOON),
    ],
)
def test_times_by_type(home: Home, times: pa.Array, tz: str | None, expected: datetime) -> None:
    """A zone in the type counts, --tz for types without one, a number is an epoch."""
    summary = land(home, parquet(user=["ada"], event=["x"], time=times), "a.parquet", tz=tz)
    assert counts(summary) == (1, 1, 0, 0)
    assert landed(home, "occurred_at") == [(expected,)]


def test_rows_that_cannot_land_wait_with_their_numbers(home: Home) -> None:
    """NaN, no time, an id that is too long, a year that cannot be."""
    content = parquet(
        user=["a", "b", "c" * 257, "d", "e", None],
        event=["x"] * 6,
        time=pa.array(
            [NOON, None, NOON, datetime(1999, 1, 1, tzinfo=timezone.utc), NOON, NOON], pa.timestamp("us", "UTC")
        ),
        price=pa.array([float("nan"), 1.0, 1.0, 1.0, float("-inf"), None], pa.float64()),
    )
    summary = land(home, content, "a.parquet")
    assert counts(summary) == (6, 1, 0, 5)
    assert reasons(summary) == {"id_too_long": 1, "missing_field": 1, "non_finite": 2, "time_range": 1}
    assert landed(home, "row_number", "user_id") == [(6, None)]
    assert [(row.row_number, row.reason) for row in quarantined_rows(home)] == [
        (1, "non_finite"),
        (2, "missing_field"),
        (3, "id_too_long"),
        (4, "time_range"),
        (5, "non_finite"),
    ]


def test_an_objects_column_is_read_strictly(home: Home) -> None:
    """JSON text in our own form: the same checks as in a JSONL file, the further columns join in."""
    content = parquet(
        event_id=["a", "b", "c", "d", "e"],
        event_type=["x"] * 5,
        time=[NOON] * 5,
        properties=['{"k": 1.50, "n": {"d": []}}', '{"k": 1, "k": 2}', "[]", None, '{"extra": 1}'],
        extra=["1", "2", "3", None, "5"],
    )
    summary = land(home, content, "a.parquet")
    assert (counts(summary), reasons(summary)) == ((5, 2, 0, 3), {"duplicate_key": 2, "type_mismatch": 1})
    assert sorted(landed(home, "event_id", "properties")) == [
        ("a", '{"k":1.5,"n":{"d":[]},"extra":"1"}'),
        ("d", "{}"),
    ]


DAMAGED: dict[str, bytes] = {
    "empty": b"",
    "not Parquet": b"user,event,time\n",
    "truncated": parquet(user=["a"] * 1000, event=["x"] * 1000, time=[NOON] * 1000)[:-50],
    "only its magic": b"PAR1",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("trusted", [False, True])
def test_a_damaged_file_lands_nothing(home: Home, content: bytes, trusted: bool) -> None:
    """D18: the file is named, exit code 1."""
    summary = land(home, content, "a.parquet", trusted=trusted)
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 1)
    error = summary.files[0].error or ""
    assert error
    assert "staging" not in error
    assert "Error:" not in error


def test_missing_extra_and_renamed_columns(home: Home) -> None:
    """D16: a column that the mapping names must be there; the nearest name is offered."""
    content = parquet(customer=["ada"], what=["x"], time=[NOON])
    summary = land(home, content, "a.parquet", mapping=load_mapping(["event_type=whatt"]))
    assert (summary.exit_code, summary.files[0].error) == (
        2,
        "the mapping names a column 'whatt', which is not there (did you mean 'what'?)",
    )


def test_names_that_look_like_patterns(home: Home) -> None:
    """D19: brackets, stars and quotes in a name, and a link, mean the one file."""
    content = parquet(user=["ada"], event=["x"], time=[NOON])
    for number, name in enumerate(["a[1].parquet", "b*.parquet", "c'd.parquet", "e?.parquet"]):
        assert land(home, content, name).landed == (1 if number == 0 else 0), name
    link = home.root.parent / "link.parquet"
    link.symlink_to("a[1].parquet")
    assert counts(land(home, gzip.compress(content), "z.parquet.gz")) == (1, 0, 1, 0)


def test_a_renamed_copy_lands_nothing(home: Home, tmp_path: Path) -> None:
    """D20: the bytes count, not the name."""
    content = parquet(user=["ada"], event=["x"], time=[NOON])
    assert counts(land(home, content, "a.parquet")) == (1, 1, 0, 0)
    summary = land(home, content, "b.parquet")
    assert counts(summary) == (1, 0, 1, 0)
    assert "a.parquet" in summary.files[0].notes[0]


def test_objects_of_a_trusted_file_are_taken_whole(home: Home) -> None:
    """Nested ones too; text that is no JSON breaks the file."""
    good = parquet(event_id=["a"], event_type=["x"], time=[NOON], properties=['{"k": 1.50, "n": {"d": [{}]}}'])
    assert counts(land(home, good, "a.parquet", trusted=True)) == (1, 1, 0, 0)
    assert landed(home, "properties") == [('{"k":1.5,"n":{"d":[{}]}}',)]
    bad = parquet(event_id=["b", "a"], event_type=["x", "x"], time=[NOON, NOON], properties=["{", "{}"])
    summary = land(home, bad, "b.parquet", trusted=True)
    assert (counts(summary), summary.exit_code) == ((0, 0, 0, 0), 1)
    assert "Malformed JSON" in (summary.files[0].error or "")


def test_a_small_file_of_giant_cells_is_refused_within_memory(home: Home) -> None:
    """D17: sizes are looked at first; what is too large is not kept, the rows beside it land."""
    giant = pa.DictionaryArray.from_arrays(pa.array([0] * 3000 + [1], pa.int32()), pa.array(["x" * (1 << 20), "small"]))
    table = {"user": ["ada"] * 3001, "event": ["x"] * 3001, "time": [NOON] * 3001, "blob": giant}
    content = parquet(**table)
    assert len(content) < 200_000
    summary = land(home, content, "bomb.parquet")
    assert (counts(summary), reasons(summary)) == ((3001, 1, 0, 3000), {"too_large": 3000})
    (row,) = quarantined_rows(home, ["1-1"])
    assert row.detail == "the cell of blob is longer than 32768 bytes"
    assert row.text == '{"user":"ada","event":"x","time":"2026-01-30T12:00:00Z"}'
