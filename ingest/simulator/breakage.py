"""The ways in which a line can be broken, and who sends one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ingest.simulator.chance import Ints
from ingest.simulator.people import People
from ingest.simulator.texts import iso_times

#: A reason, and a line of it made of a number and a time.
Breakage = tuple[str, Callable[[int, str], str]]
_ONE_PERSON_IN = 25


def broken_lines(people: People, ways: Sequence[Breakage], *, shift: int) -> tuple[Ints, list[tuple[str, bytes]]]:
    """Broken lines with the times of their receipt: one for each 25th person, in all ways by turns.

    Args:
        people: the persons, at whose first visit the lines are received.
        ways: how lines can be broken.
        shift: which persons; another number for each source.
    """
    chosen = np.flatnonzero(people.numbers % _ONE_PERSON_IN == shift)
    at = people.first_at[chosen]
    made = []
    for number, time in zip(people.numbers[chosen].tolist(), iso_times(at).to_pylist(), strict=True):
        reason, line = ways[number // _ONE_PERSON_IN % len(ways)]
        # A lone surrogate stands for a byte that is no UTF-8.
        made.append((reason, line(number, time).encode("utf-8", "surrogateescape")))
    return at, made


APP_BREAKAGES: tuple[Breakage, ...] = (
    ("not_json", lambda number, time: f'{{"eventId":"b-{number}","timestamp":"{time}","eventType":"video_rend'),
    ("missing_field", lambda number, time: f'{{"eventId":"b-{number}","timestamp":"{time}","personId":"{number}"}}'),
    ("bad_time", lambda number, _: f'{{"eventId":"b-{number}","timestamp":"yesterday","eventType":"logged_in"}}'),
    ("not_an_object", lambda number, time: f'["b-{number}","{time}"]'),
    ("type_mismatch", lambda number, time: f'{{"eventId":"b-{number}","timestamp":"{time}","eventType":{number}}}'),
    ("empty_id", lambda _, time: f'{{"eventId":" ","timestamp":"{time}","eventType":"logged_in"}}'),
    (
        "unknown_value",
        lambda number, time: f'{{"eventId":"b-{number}","timestamp":"{time}","eventType":"fax","source":"fax"}}',
    ),
    (
        "bad_unicode",
        lambda number, time: f'{{"eventId":"b-{number}","timestamp":"{time}","eventType":"logged_in \udcff"}}',
    ),
)


def envelope_breakages(body: str, body_without: str) -> tuple[Breakage, ...]:
    """Broken deliveries of a service.

    Args:
        body: a body that is right.
        body_without: one that lacks a field it must have.
    """
    return (
        ("not_json", lambda _, time: f'{{"received_at":"{time}","body":{body[:-2]}'),
        ("not_an_object", lambda number, time: f'["{time}",{number}]'),
        ("bad_time", lambda _, __: f'{{"received_at":"yesterday","body":{body}}}'),
        ("missing_field", lambda _, time: f'{{"received_at":"{time}","body":{body_without}}}'),
        ("duplicate_key", lambda _, time: f'{{"received_at":"{time}","received_at":"{time}","body":{body}}}'),
        ("bad_unicode", lambda _, time: f'{{"received_at":"{time}","body":"\udcff"}}'),
    )
