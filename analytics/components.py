"""Connected components of a graph whose nodes are any integers, in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]

#: How far from where it should stand a key is looked for.
_STEPS = 8


def component_labels(left: Keys, right: Keys) -> tuple[Keys, Keys]:
    """The nodes that edges join, in any order, and of each the smallest node of its component.

    Minimum-label hooking with pointer jumping (Shiloach and Vishkin 1982): in each round every root with a smaller
    root beside it hangs itself under the smallest of them, then all trees are made flat. Two rounds at least halve
    the number of roots that have an edge left, so even a long chain takes few.

    Args:
        left: one end of each edge.
        right: the other end of each edge.
    """
    nodes, places = _encoded(np.concatenate([left, right]))
    one, other = places[: len(left)], places[len(left) :]
    parent = np.arange(len(nodes), dtype=places.dtype)
    while len(one):
        np.minimum.at(parent, np.maximum(one, other), np.minimum(one, other))
        parent = _flat(parent)
        one, other = parent[one], parent[other]
        is_open = one != other
        one, other = one[is_open], other[is_open]
    return nodes, nodes[parent]


def _encoded(keys: Keys) -> tuple[Keys, npt.NDArray[np.int32]]:
    """The distinct keys in order, and the place of each key among them.

    Keys are hashes, so their size all but tells their place: it is looked for a few steps from there. That takes as
    long as a table of hashes (Arrow's dictionary_encode), which needs several times the memory. Keys that are not
    spread evenly are looked for by halves.
    """
    if not len(keys):
        return keys, np.empty(0, np.int32)
    nodes = np.sort(keys)
    nodes = nodes[np.append(True, nodes[1:] != nodes[:-1])]
    # Of unsigned numbers no difference is too large.
    above, at = (some.view(np.uint64) - nodes[:1].view(np.uint64) for some in (nodes, keys))
    shift = np.uint64(max(0, int(above[-1]).bit_length() - len(nodes).bit_length()))
    starts = np.searchsorted(above >> shift, np.arange(int(above[-1] >> shift) + 1, dtype=np.uint64)).astype(np.int32)
    places = starts[at >> shift]
    wrong = np.flatnonzero(nodes[places] != keys)
    for _ in range(_STEPS):
        places[wrong] += 1
        wrong = wrong[nodes[places[wrong]] != keys[wrong]]
    places[wrong] = np.searchsorted(nodes, keys[wrong])
    return nodes, places


def _flat(parent: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Every node pointing to the root of its tree."""
    while not np.array_equal(parent, above := parent[parent]):
        parent = above
    return parent
