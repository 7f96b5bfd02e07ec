"""The functions of ours that the tables' SQL calls: registered by dbt's plugin, and where models run without dbt."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import duckdb
from duckdb.func import PythonUDFType

from analytics.chain import Telling, in_order
from analytics.identity import Edge, Limits, Trust, resolve

_NODES = "STRUCT(identifier_key BIGINT, id_type VARCHAR)[]"
_EDGES = (
    "STRUCT(trust INTEGER, priority INTEGER, observed_at BIGINT, event_id VARCHAR, left_key BIGINT, right_key BIGINT)[]"
)
_PAIRS = "STRUCT(left_key BIGINT, right_key BIGINT)[]"
_LABELS = "STRUCT(node_key BIGINT, label BIGINT)[]"
_TELLINGS = (
    "STRUCT(batch_seq BIGINT, row_number BIGINT, told_at BIGINT, is_snapshot BOOLEAN, type_rank INTEGER,"
    " is_over BOOLEAN, delivery_id VARCHAR, body_key BIGINT, before_key BIGINT, after_key BIGINT)[]"
)
_PLACES = "STRUCT(batch_seq BIGINT, row_number BIGINT, place BIGINT)[]"
_DECISIONS = "STRUCT(left_key BIGINT, right_key BIGINT, rule VARCHAR)[]"


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to a connection."""
    connection.create_function("decide_edges", decide_edges, [_NODES, _EDGES, "VARCHAR"], _DECISIONS)
    connection.create_function("component_labels", label_components, [_PAIRS], _LABELS, type=PythonUDFType.ARROW)
    connection.create_function("place_tellings", place_tellings, [_TELLINGS], _PLACES)


def place_tellings(tellings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The places of the tellings of one object in the order of time, from 1 on."""
    found = [
        Telling(
            second=one["told_at"] // 1_000_000,
            is_snapshot=one["is_snapshot"],
            type_rank=one["type_rank"],
            is_over=one["is_over"],
            rest=(one["delivery_id"], one["told_at"], one["body_key"]),
            before=one["before_key"],
            after=one["after_key"],
            name=(one["batch_seq"], one["row_number"]),
        )
        for one in tellings
    ]
    return [
        {"batch_seq": telling.name[0], "row_number": telling.name[1], "place": place}
        for place, telling in enumerate(in_order(found), start=1)
    ]


def label_components(graphs: Any) -> Any:
    """The labels of each graph's nodes, from a column of Arrow to another: no edge becomes an object of Python.

    A graph is the list of its edges. What is imported here is only paid for by builds that have some.
    """
    import pyarrow as pa

    from analytics.components import component_labels

    label = pa.struct({"node_key": pa.int64(), "label": pa.int64()})
    labelled, ends = [], [0]
    for graph in graphs:
        edges = graph.values
        nodes, labels = component_labels(edges.field("left_key").to_numpy(), edges.field("right_key").to_numpy())
        labelled.append(pa.StructArray.from_arrays([nodes, labels], fields=list(label)))
        ends.append(ends[-1] + len(nodes))
    found = pa.chunked_array(labelled, type=label).combine_chunks()
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), found)


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
