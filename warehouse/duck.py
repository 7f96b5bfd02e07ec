"""Connecting to DuckDB: the settings that every connection of ours has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

_CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def connect(
    path: Path | None = None, *, read_only: bool = False, config: Mapping[str, str] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a database file, or one in memory: times in UTC, nothing fetched from the network, nothing drawn.

    Raises:
        duckdb.Error: if the file cannot be opened.
    """
    connection = duckdb.connect(
        str(path) if path else ":memory:", read_only=read_only, config={**_CONFIG, **(config or {})}
    )
    connection.execute("set TimeZone = 'UTC'")
    # A progress bar would be drawn into standard output, which belongs to the rows.
    connection.execute("set enable_progress_bar = false")
    return connection
