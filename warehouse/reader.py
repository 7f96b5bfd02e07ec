"""Opening the published warehouse for reading: one generation, never blocked by a build and never blocking one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from models.errors import GdpError
from warehouse.duck import connect
from warehouse.home import Home
from warehouse.sql import quote_identifier, quote_literal

if TYPE_CHECKING:
    import pyarrow as pa

Params = Mapping[str, Any]

_ATTEMPTS = 5


@dataclass(frozen=True)
class Warehouse:
    """One generation, opened read-only, with times in UTC."""

    connection: duckdb.DuckDBPyConnection
    path: Path
    generation: str
    as_of: datetime

    def rows(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """The rows of a query; values are bound by name (``$name``)."""
        return self.connection.execute(sql, params or None).fetchall()

    def dicts(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        """The rows of a query as dictionaries, keys in the order of the columns."""
        cursor = self.connection.execute(sql, params or None)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def scalar(self, sql: str, params: Params | None = None) -> Any:
        """The first value of the first row, or None if there is none."""
        rows = self.rows(sql, params)
        return rows[0][0] if rows else None

    def attach(self, other: Path, name: str) -> None:
        """Make the tables of another generation readable beside these, in the catalog ``name``."""
        self.connection.execute(f"attach {quote_literal(str(other))} as {quote_identifier(name)} (read_only)")

    def arrow(self, sql: str, params: Params | None = None) -> pa.Table:
        """The result of a query as an Arrow table."""
        table: pa.Table = self.connection.sql(sql, params=params or None).to_arrow_table()
        return table


def current_generation(home: Home) -> Path | None:
    """The file that readers are to open, or None before the first build."""
    try:
        return home.current.parent / home.current.readlink()
    except FileNotFoundError:
        return None
    except OSError:
        raise GdpError(f"{home.current} is not the link that a build makes; move it away and build again") from None


@contextmanager
def open_warehouse(
    home: Home,
    *,
    file: Path | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
    sandbox: bool = False,
) -> Iterator[Warehouse]:
    """Open the published generation read-only.

    Args:
        home: where the warehouse is.
        file: tables of the same form to open in place of the published ones.
        threads: how many threads a query may use (default: all cores).
        memory_limit: how much memory a query may use, such as ``4GB``.
        sandbox: refuse everything that reaches outside the warehouse's file, for SQL that somebody typed.

    Raises:
        GdpError: if nothing has been built yet, the file is damaged or of another version, or a query in the block
            needs more memory than it may use.
    """
    connection, path = _connect(home, file)
    try:
        connection.execute("set temp_directory = $folder", {"folder": str(home.staging)})
        if threads:
            connection.execute(f"set threads = {int(threads)}")
        if memory_limit:
            connection.execute("set memory_limit = $limit", {"limit": memory_limit})
        generation, as_of = _build_info(connection, path)
        if sandbox:
            for statement in _SANDBOX:
                connection.execute(statement)
        yield Warehouse(connection=connection, path=path, generation=generation, as_of=as_of)
    except duckdb.OutOfMemoryException:
        allowed = memory_limit or "what the machine has"
        raise GdpError(
            f"the query needs more memory than memory_limit allows ({allowed}): narrow it, or raise the limit"
        ) from None
    finally:
        connection.close()


_SANDBOX: Sequence[str] = (
    "set enable_external_access = false",
    "set lock_configuration = true",
)


def _connect(home: Home, file: Path | None) -> tuple[duckdb.DuckDBPyConnection, Path]:
    """Open a file, or that which the link names; look again if a publish took it away in between."""
    for attempt in range(1, _ATTEMPTS + 1):
        path = file or current_generation(home)
        if path is None:
            raise GdpError(f"no warehouse in {home.root} yet: run gdp build")
        try:
            return connect(path, read_only=True), path
        except duckdb.IOException as error:
            if path.exists() or attempt == _ATTEMPTS:
                raise GdpError(f"{path} cannot be opened ({_first_line(error)}): run gdp build") from None
        except duckdb.Error as error:
            raise GdpError(f"{path} cannot be opened ({_first_line(error)}): run gdp build --full-refresh") from None
    raise AssertionError("unreachable")


def _build_info(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, datetime]:
    try:
        rows = connection.execute("select generation, as_of from build_info").fetchall()
    except duckdb.Error as error:
        raise GdpError(f"{path} is not a warehouse of this version ({_first_line(error)}): run gdp build") from None
    if len(rows) != 1:
        raise GdpError(f"{path} holds {len(rows)} rows of build_info instead of one: run gdp build --full-refresh")
    generation, as_of = rows[0]
    return str(generation), as_of.astimezone(timezone.utc)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
