"""What dbt's database can do beyond SQL: loaded by dbt itself (dbt_project/profiles.yml), in its own process."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from analytics.identity import Edge, Limits, Trust, resolve

_NODES = "STRUCT(identifier_key BIGINT, id_type VARCHAR)[]"
_EDGES = (
    "STRUCT(trust INTEGER, priority INTEGER, observed_at BIGINT, event_id VARCHAR, left_key BIGINT, right_key BIGINT)[]"
)
_DECISIONS = "STRUCT(left_key BIGINT, right_key BIGINT, rule VARCHAR)[]"


class Plugin(BasePlugin):
    """Registers the functions that models call."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Called by dbt when it has opened the database."""
        conn.create_function("decide_edges", decide_edges, [_NODES, _EDGES, "VARCHAR"], _DECISIONS)


def decide_edges(nodes: list[dict[str, Any]], edges: list[dict[str, Any]], limits: str) -> list[dict[str, Any]]:
    """The decisions on the edges of one contested component."""
    types = {node["identifier_key"]: node["id_type"] for node in nodes}
    found = [
        Edge(
            trust=Trust(edge["trust"]),
            priority=edge["priority"],
            observed_at=edge["observed_at"],
            event_id=edge["event_id"],
            left=edge["left_key"],
            right=edge["right_key"],
        )
        for edge in edges
    ]
    return [
        {"left_key": decision.edge.left, "right_key": decision.edge.right, "rule": decision.rule}
        for decision in resolve(types, found, _limits(limits))
    ]


@lru_cache(maxsize=1)
def _limits(text: str) -> Limits:
    said = json.loads(text)
    return Limits(said["most"], frozenset((left, right) for left, right in said["cuts"]))
