"""Components of graphs whose nodes are any integers, however they are spread."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.components import component_labels

SMALLEST, LARGEST = -(2**63), 2**63 - 1

#: Spread evenly, as hashes are; close together; and from one end of the integers to the other.
NODES = st.one_of(
    st.integers(0, 2**60 - 1), st.integers(0, 40), st.integers(2**59, 2**59 + 40), st.sampled_from([SMALLEST, LARGEST])
)


def labels(edges: list[tuple[int, int]]) -> dict[int, int]:
    """Of each node the smallest one that can be reached from it."""
    label = {node: node for edge in edges for node in edge}
    changes = True
    while changes:
        changes = False
        for one, other in edges:
            least = min(label[one], label[other])
            changes |= label[one] != least or label[other] != least
            label[one] = label[other] = least
    return label


@given(edges=st.lists(st.tuples(NODES, NODES), max_size=60))
def test_a_component_is_named_after_its_smallest_node(edges: list[tuple[int, int]]) -> None:
    """Also where nodes do not stand where their size says that they should, repeat, or have an edge to themselves."""
    left, right = (np.array([edge[side] for edge in edges], dtype=np.int64) for side in (0, 1))
    nodes, named = component_labels(left, right)
    assert dict(zip(nodes.tolist(), named.tolist(), strict=True)) == labels(edges)


@given(nodes=st.lists(NODES, min_size=2, max_size=60, unique=True))
def test_many_nodes_far_from_where_they_should_stand(nodes: list[int]) -> None:
    """A run of numbers beside a far one: all but it have the same guess."""
    run = np.arange(1000, dtype=np.int64)
    found, named = component_labels(np.append(run, nodes[0]), np.append(run[::-1], nodes[1]))
    expected = labels([*zip(range(1000), reversed(range(1000)), strict=True), (nodes[0], nodes[1])])
    assert dict(zip(found.tolist(), named.tolist(), strict=True)) == expected
