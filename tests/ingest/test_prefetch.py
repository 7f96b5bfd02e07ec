"""Reading ahead changes when items are made, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ingest.prefetch import prefetched

AHEAD = 4


@pytest.mark.parametrize("count", [0, 1, AHEAD, 3 * AHEAD])
def test_items_come_in_their_order(count: int) -> None:
    """As many as there are, whether or not all of them fit ahead."""
    assert list(prefetched(range(count), AHEAD)) == list(range(count))


def test_reading_goes_on_while_an_item_is_used_but_not_without_end() -> None:
    """While the first item is used, exactly ``AHEAD`` more are made."""
    made: list[int] = []
    is_ahead = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(10 * AHEAD):
            made.append(number)
            if number == AHEAD:
                is_ahead.set()
            yield number

    items = prefetched(numbers(), AHEAD)
    assert next(items) == 0
    assert is_ahead.wait(timeout=10)
    items.close()  # type: ignore[attr-defined]
    assert len(made) == AHEAD + 1


def test_an_error_comes_behind_the_items_before_it() -> None:
    """What was read before a broken place is used before the error is seen."""

    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    items = prefetched(broken(), AHEAD)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(items)
