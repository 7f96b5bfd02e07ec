"""Reading ahead in another thread, while this one works on what was read before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def prefetched(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, each made while the one before it is used; errors come where they would have come."""
    source = iter(items)
    end = object()
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(next, source, end)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(next, source, end)
            yield item  # type: ignore[misc]
