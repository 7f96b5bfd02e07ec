"""Reading ahead in another thread, while this one works on what was read before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def prefetched(items: Iterable[Item], ahead: int = 1) -> Iterator[Item]:
    """The same items, each made up to ``ahead`` items before its use; errors come where they would have come."""
    source = iter(items)
    end = object()
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        waiting: deque[Future[Item | object]] = deque(pool.submit(next, source, end) for _ in range(ahead))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, source, end))
            yield item  # type: ignore[misc]
    finally:
        pool.shutdown(cancel_futures=True)
