"""Names of files as DuckDB is to read them: as they are, not as patterns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from warehouse.sql import quote_literal


def file_pattern(path: Path) -> str:
    """The pattern by which a reading function finds exactly this file; its name could be that of others, too."""
    return "".join(f"[{char}]" if char in "[*?" else char for char in str(path))


def file_literal(path: Path) -> str:
    """The same as an SQL literal."""
    return quote_literal(file_pattern(path))


def parquet(*paths: Path) -> str:
    """The rows of Parquet files, as a relation."""
    return f"read_parquet([{', '.join(map(file_literal, paths))}])"


def parquet_files(paths: Iterable[Path]) -> str:
    """The rows of Parquet files, as a relation; empty text if there are none."""
    found = tuple(paths)
    return parquet(*found) if found else ""
