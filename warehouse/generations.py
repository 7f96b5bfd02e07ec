"""Published generations: immutable DuckDB files, and the one link that says which of them readers open."""

from __future__ import annotations

import os
import re
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import duckdb

from models.errors import GdpError
from warehouse.duck import connect
from warehouse.files import fsync_dir
from warehouse.home import Home
from warehouse.sql import quote_identifier

_NAME = re.compile(r"[0-9]{6,}")
PastKind = Literal["identity-as-of", "known-at"]
_PAST_KINDS: tuple[PastKind, ...] = ("identity-as-of", "known-at")


def generation_files(home: Home) -> list[Path]:
    """All generations on disk, oldest first."""
    files = [path for path in home.warehouse_dir.glob("*.duckdb") if _NAME.fullmatch(path.stem)]
    return sorted(files, key=lambda path: int(path.stem))


def next_generation(home: Home) -> str:
    """The name of the next generation: a number one above all that are on disk."""
    files = generation_files(home)
    return f"{int(files[-1].stem) + 1 if files else 1:06d}"


def copy_generation(source: Path, target: Path) -> None:
    """Make a writable copy of a generation, replacing what is at the target."""
    for leftover in (target, _wal(target)):
        leftover.unlink(missing_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o600)


def seal(path: Path, *, keep: set[tuple[str, str]] | None = None) -> None:
    """Bring a working copy into the one file that is published: unknown tables dropped, no log left, on disk.

    Args:
        path: the working copy; no other process may have it open.
        keep: (schema, name) of the tables and views that belong there; None leaves everything.

    Raises:
        GdpError: if the file cannot be brought into one.
    """
    with connect(path) as connection:
        if keep is not None:
            _drop_unknown(connection, keep)
        connection.execute("force checkpoint")
    if _wal(path).exists():
        raise GdpError(f"{path} still has a log after the checkpoint; the build is not published")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def publish(home: Home, working_copy: Path, generation: str, *, keep: int) -> Path:
    """Make a sealed working copy the generation that readers open, and delete the oldest ones.

    Readers of older generations are not disturbed: a file that is open stays readable after it is deleted.
    """
    target = home.warehouse_dir / f"{generation}.duckdb"
    working_copy.chmod(0o444)
    working_copy.rename(target)
    fsync_dir(home.warehouse_dir)
    link = home.current.with_suffix(".next")
    link.unlink(missing_ok=True)
    link.symlink_to(target.relative_to(home.root))
    link.replace(home.current)
    fsync_dir(home.root)
    for old in generation_files(home)[:-keep]:
        old.unlink()
    for kind in _PAST_KINDS:
        shutil.rmtree(home.warehouse_dir / kind, ignore_errors=True)
    return target


def past_file(home: Home, kind: PastKind, generation: Path, moment: datetime) -> Path:
    """Where the tables of a generation as of a past moment are kept; they go when another one is published."""
    name = f"{generation.stem}-{moment.astimezone(timezone.utc):%Y%m%dT%H%M%S.%f}.duckdb"
    return home.warehouse_dir / kind / name


def keep_past(home: Home, made: Path, kind: PastKind, generation: Path, moment: datetime) -> Path:
    """Move tables to where ``past_file`` says, in place of those of another moment."""
    target = past_file(home, kind, generation, moment)
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir(mode=0o700)
    made.chmod(0o444)
    return made.rename(target)


def _drop_unknown(connection: duckdb.DuckDBPyConnection, keep: set[tuple[str, str]]) -> None:
    found = connection.execute(
        "select table_schema, table_name, table_type from information_schema.tables"
        " where table_catalog = current_database()"
    ).fetchall()
    for schema, name, kind in sorted(found, key=lambda row: row[2] != "VIEW"):
        if (schema, name) not in keep:
            relation = f"{quote_identifier(schema)}.{quote_identifier(name)}"
            connection.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {relation}")
    for schema in {schema for schema, *_ in found} - {schema for schema, _ in keep} - {"main"}:
        connection.execute(f"drop schema {quote_identifier(schema)}")


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")
