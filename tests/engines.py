"""Databases in memory that stay open: to start one takes longer than most of what tests ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import duckdb

from warehouse.duck import connect


@cache
def _engine(*config: tuple[str, str]) -> duckdb.DuckDBPyConnection:
    return connect(config=dict(config))


def asked() -> duckdb.DuckDBPyConnection:
    """A connection, times in UTC, for reading files; what it makes must be temporary."""
    cursor = _engine().cursor()
    cursor.execute("set TimeZone = 'UTC'")
    return cursor


def connect_again(path: Path | None = None, *, config: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """What ``warehouse.duck.connect`` opens in memory, for code that makes nothing but what is temporary.

    Engines that differ in more than where they spill are others.
    """
    assert path is None
    own = _engine(*sorted((name, value) for name, value in config.items() if name != "temp_directory"))
    assert own.execute("from duckdb_tables() where not temporary").fetchall() == []
    cursor = own.cursor()
    cursor.execute("set TimeZone = 'UTC'")
    cursor.execute("set enable_progress_bar = false")
    return cursor
