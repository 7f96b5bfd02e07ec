"""SQL that somebody typed, against the published tables."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import duckdb

from models.errors import GdpError, UsageError
from warehouse.reader import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa


def run_sql(warehouse: Warehouse, query: str) -> pa.Table:
    """Run one statement on a warehouse that was opened with ``sandbox=True``.

    Raises:
        UsageError: if it is not one statement, or not SQL that the tables can answer.
        GdpError: if it ran and failed (a bad cast).
        duckdb.OutOfMemoryException: if it needs more than the warehouse was opened with.
    """
    try:
        query.encode()
        statements = warehouse.connection.extract_statements(query)
    except UnicodeEncodeError:
        raise UsageError("the query is not UTF-8") from None
    except duckdb.Error as error:
        raise UsageError(_one_line(error)) from None
    if len(statements) != 1:
        raise UsageError(f"give one statement; this is {len(statements)}")
    try:
        return _interruptible(warehouse, query)
    except duckdb.OutOfMemoryException:
        raise  # whoever opened the warehouse knows the limit
    except (
        duckdb.ParserException,
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.PermissionException,
    ) as error:
        raise UsageError(_one_line(error)) from None
    except duckdb.InvalidInputException as error:
        raise UsageError(_one_line(error)) from None
    except duckdb.Error as error:
        raise GdpError(_one_line(error)) from None


def _interruptible(warehouse: Warehouse, query: str) -> pa.Table:
    """Run a query in a thread, so that Ctrl-C reaches us and ends it: the database does not look at signals."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(warehouse.arrow, query)
        try:
            while not answer.done():
                wait([answer], timeout=0.1)
        except BaseException:
            warehouse.connection.interrupt()
            raise
        return answer.result()


def _one_line(error: Exception) -> str:
    """The message without the drawing of the query below it."""
    return " ".join(str(error).split("\n\nLINE")[0].split())
