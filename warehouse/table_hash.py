"""What "equal" means for two tables: the same rows, in any order, whatever the build they came from."""

from __future__ import annotations

import duckdb

from warehouse.sql import quote_identifier, quote_literal

#: Columns that say when and how a row got here, not what it says.
NOT_CONTENT = frozenset(
    {"batch_seq", "row_number", "landed_at", "generation", "built_at", "last_full_refresh", "max_batch_seq"}
)
_FLOATS = ("DOUBLE", "FLOAT")


def table_hash(
    connection: duckdb.DuckDBPyConnection, table: str, *, schema: str = "main", without: frozenset[str] = NOT_CONTENT
) -> str:
    """An order-free hash of a table's content: row count and two sums of halves of the rows' MD5.

    Two tables of equal hash have, but for a collision, the same rows the same number of times.

    Raises:
        ValueError: if there is no such table, or it has a floating-point column (their sums depend on the order).
    """
    columns = connection.execute(
        "select column_name, data_type from information_schema.columns where table_name = $table"
        " and table_schema = $schema and table_catalog = current_database() order by column_name",
        {"table": table, "schema": schema},
    ).fetchall()
    if not columns:
        raise ValueError(f"there is no table {schema}.{table}")
    floats = [name for name, kind in columns if kind in _FLOATS]
    if floats:
        raise ValueError(f"table {schema}.{table} has floating-point columns: {', '.join(floats)}")
    parts = [
        f"coalesce({quote_literal(name + '=')} || replace(cast({quote_identifier(name)} as varchar), '|', '||'), '')"
        for name, _ in columns
        if name not in without
    ]
    row_text = " || ' | ' || ".join(parts)
    count, low, high = connection.execute(
        f"""
        with hashed as (
            select md5({row_text}) as digest from {quote_identifier(schema)}.{quote_identifier(table)}
        )

        select
            count(*),
            sum(('0x' || substr(digest, 1, 15))::bigint),
            sum(('0x' || substr(digest, 16, 15))::bigint)
        from hashed
        """
    ).fetchall()[0]
    return f"{count}:{int(low or 0):x}:{int(high or 0):x}"


def database_hashes(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The hash of every table and view of a database, but for those that describe the build.

    These are build_info, and compiled.model: the SQL that made the tables, in which the rules of identity stand.
    """
    names = connection.execute(
        "select table_schema, table_name from information_schema.tables where table_catalog = current_database()"
        " order by all"
    ).fetchall()
    return {
        f"{schema}.{name}": table_hash(connection, name, schema=schema)
        for schema, name in names
        if name != "build_info" and schema != "compiled"
    }
