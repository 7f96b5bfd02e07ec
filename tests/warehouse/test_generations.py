"""Publishing: one pointer, sealed files, and what equality of tables means."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from models.errors import GdpError
from warehouse.generations import copy_generation, generation_files, next_generation, publish, seal
from warehouse.home import Home
from warehouse.reader import open_warehouse
from warehouse.table_hash import table_hash

BUILD_INFO = "create table build_info as select '{name}' as generation, timestamptz '2026-03-01 00:00:00+00' as as_of"


def make(home: Home, name: str, *statements: str) -> Path:
    """A working copy with a build_info of that name."""
    path = home.build / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        for statement in (BUILD_INFO.format(name=name), *statements):
            connection.execute(statement)
    return path


def publish_next(home: Home, *statements: str, keep: int = 3) -> str:
    """Make, seal and publish the next generation."""
    name = next_generation(home)
    path = make(home, name, *statements)
    seal(path)
    publish(home, path, name, keep=keep)
    return name


def test_readers_open_what_was_published_last(home: Home) -> None:
    """The link names it; an older reader keeps its own."""
    first = publish_next(home)
    with open_warehouse(home) as old:
        second = publish_next(home, keep=1)
        with open_warehouse(home) as new:
            assert (old.generation, new.generation) == (first, second) == ("000001", "000002")
            assert old.scalar("select generation from build_info") == first
    assert [path.name for path in generation_files(home)] == ["000002.duckdb"]


def test_without_a_build_readers_are_told_what_to_do(home: Home) -> None:
    """Not a traceback about a missing file."""
    with pytest.raises(GdpError, match="no warehouse in .* yet: run gdp build"), open_warehouse(home):
        pass


@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
def test_a_damaged_file_is_refused_in_one_line(home: Home, content: bytes) -> None:
    """The message names the file and the way out."""
    name = publish_next(home)
    file = home.warehouse_dir / f"{name}.duckdb"
    file.chmod(0o600)
    file.write_bytes(content)
    with pytest.raises(GdpError, match=f"{name}.duckdb .*run gdp build"), open_warehouse(home):
        pass


def test_a_published_file_cannot_be_written(home: Home) -> None:
    """Neither through our reader nor through its file mode."""
    publish_next(home, "create table t as select 1 as a")
    assert home.current.resolve().stat().st_mode & 0o777 == 0o444
    with open_warehouse(home) as warehouse, pytest.raises(duckdb.Error, match="read-only"):
        warehouse.rows("insert into t values (2)")


def test_sealing_drops_what_no_model_makes(home: Home) -> None:
    """A table whose model was deleted would be read for ever as if it were current."""
    path = make(
        home,
        "000001",
        "create table kept as select 1 as a",
        "create table old as select 1 as a",
        "create view old_view as select * from old",
    )
    seal(path, keep={("main", "build_info"), ("main", "kept")})
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("select table_name from duckdb_tables() order by 1").fetchall() == [
            ("build_info",),
            ("kept",),
        ]
    assert not path.with_name(path.name + ".wal").exists()


def test_a_copy_can_be_written_and_leaves_the_original_alone(home: Home, tmp_path: Path) -> None:
    """The generation is immutable; its working copy is not."""
    publish_next(home, "create table t as select 1 as a")
    copy_generation(home.current.resolve(), tmp_path / "copy.duckdb")
    with duckdb.connect(str(tmp_path / "copy.duckdb")) as connection:
        connection.execute("insert into t values (2)")
    with open_warehouse(home) as warehouse:
        assert warehouse.rows("select a from t") == [(1,)]


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("values (1, 'a'), (2, 'b')", "values (2, 'b'), (1, 'a')", True),
        ("values (1, 'a'), (1, 'a')", "values (1, 'a')", False),
        ("values (1, null)", "values (1, '')", False),
        ("values (1, 'a'), (2, 'b')", "values (1, 'b'), (2, 'a')", False),
        ("values (null, '1')", "values (1, null)", False),
    ],
)
def test_tables_are_equal_if_they_hold_the_same_rows(left: str, right: str, equal: bool) -> None:
    """In any order, each row as often."""
    with duckdb.connect() as connection:
        for name, rows in (("l", left), ("r", right)):
            connection.execute(
                f"create table {name} as select a::bigint as a, b::varchar as b from ({rows}) as t(a, b)"
            )
        assert (table_hash(connection, "l") == table_hash(connection, "r")) is equal


def test_the_hash_ignores_when_a_row_came(home: Home) -> None:
    """Batch numbers differ between deliveries of the same rows; floats are refused because their sums wander."""
    with duckdb.connect() as connection:
        connection.execute("create table l as select 1 as a, 7 as batch_seq")
        connection.execute("create table r as select 1 as a, 9 as batch_seq")
        connection.execute("create table f as select 1.5::double as a")
        assert table_hash(connection, "l") == table_hash(connection, "r")
        with pytest.raises(ValueError, match="floating-point"):
            table_hash(connection, "f")
