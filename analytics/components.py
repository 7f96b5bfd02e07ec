"""Connected components of a graph whose nodes are any integers, in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]


def component_labels(left: Keys, right: Keys) -> tuple[Keys, Keys]:
    """The nodes that edges join, in any order, and of each the smallest node of its component.

    Minimum-label hooking with pointer jumping (Shiloach and Vishkin 1982): in each round every root with a smaller
    root beside it hangs itself under the smallest of them, then all trees are made flat. Two rounds at least halve
    the number of roots that have an edge left, so even a long chain takes few.

    Args:
        left: one end of each edge.
        right: the other end of each edge.
    """
    import pyarrow as pa

    # Encoded by a table of hashes, which takes half as long as sorting (np.unique).
    encoded = pa.array(np.concatenate([left, right])).dictionary_encode()
    nodes, places = encoded.dictionary.to_numpy(), encoded.indices.to_numpy()
    one, other = places[: len(left)], places[len(left) :]
    parent = np.arange(len(nodes), dtype=places.dtype)
    while len(one):
        np.minimum.at(parent, np.maximum(one, other), np.minimum(one, other))
        parent = _flat(parent)
        one, other = parent[one], parent[other]
        is_open = one != other
        one, other = one[is_open], other[is_open]
    smallest = nodes.copy()
    np.minimum.at(smallest, parent, nodes)
    return nodes, smallest[parent]


def _flat(parent: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Every node pointing to the root of its tree."""
    while not np.array_equal(parent, above := parent[parent]):
        parent = above
    return parent
