"""What dbt's database can do beyond SQL: loaded by dbt itself (dbt_project/profiles.yml), in its own process."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from pipeline.table_functions import register


class Plugin(BasePlugin):
    """Registers the functions that models call."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Called by dbt when it has opened the database."""
        register(conn)
