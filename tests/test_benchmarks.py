"""Benchmarks: they are run by hand, so what breaks them shows here."""

from __future__ import annotations

from benchmarks.ledger import life


def test_lives_of_the_ledger_tell_each_event_once() -> None:
    """An id that two events shared would be a conflict, and less would be measured than is said."""
    told = [event["id"] for number in range(60) for event in life(number)]
    assert len(told) == len(set(told)) == 60 * 21
