"""The truth about three segments: who was in them, from when to when, by the acts alone.

- ``power_users``: at least ten video_rendered within 30 days.
- ``trial_to_paid``: a signup, and a paid invoice above 0.
- ``churn_risk``: a subscription that is on trial, active, past due, unpaid or paused, and no action for 30 days.

A stay is [entered_at, exited_at) in milliseconds, as if nothing more will happen: an exit may lie beyond the end of
time, and FOREVER stands for none. Stays that would begin after the end are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ingest.simulator.acts import Acts
from ingest.simulator.billing import Billing
from ingest.simulator.catalog import KINDS, NUMBER
from ingest.simulator.chance import Ints
from ingest.simulator.ledger import Invoice, Subscription, Told
from ingest.simulator.people import People
from ingest.simulator.season import DAY, SECOND, Season

FOREVER = 2**62
_RENDERS, _WINDOW = 10, 30 * DAY
_BILLED = ("trialing", "active", "past_due", "unpaid", "paused")

Span = tuple[int, int]
Stay = tuple[str, int, int, int]


def stays(season: Season, people: People, acts: Acts, billing: Billing) -> Iterator[Stay]:
    """All stays of a chunk: (segment, number of the person, entered_at, exited_at)."""
    for person, entered_at, exited_at in _power_users(acts):
        yield "power_users", int(people.numbers[person]), entered_at, exited_at
    actions = acts.at_positions(np.array([kind.is_action for kind in KINDS])[acts.kind])
    begins = np.searchsorted(actions.person, np.arange(people.count + 1))
    for person, told in billing.told.items():
        number, when = int(people.numbers[person]), actions.at[begins[person] : begins[person + 1]]
        paid_at = _first_payment(told)
        if paid_at is not None:
            yield "trial_to_paid", number, max(paid_at, int(people.signup_at[person])), FOREVER
        for entered_at, exited_at in _overlaps(_billed(told), _idle(when)):
            if entered_at < season.end:
                yield "churn_risk", number, entered_at, exited_at


def _power_users(acts: Acts) -> Iterator[tuple[int, int, int]]:
    """True from a tenth render until the tenth-last one is 30 days old."""
    renders = acts.at_positions(acts.kind == NUMBER["video_rendered"])
    tenth = np.arange(_RENDERS - 1, renders.count)
    first = tenth - (_RENDERS - 1)
    until = renders.at[first] + _WINDOW
    within = (renders.person[tenth] == renders.person[first]) & (renders.at[tenth] < until)
    spans: dict[int, list[Span]] = {}
    for person, entered_at, exited_at in zip(
        renders.person[tenth][within].tolist(), renders.at[tenth][within].tolist(), until[within].tolist(), strict=True
    ):
        spans.setdefault(person, []).append((entered_at, exited_at))
    for person, of_person in spans.items():
        for entered_at, exited_at in _merged(of_person):
            yield person, entered_at, exited_at


def _idle(actions: Ints) -> list[Span]:
    """When the last action was at least 30 days ago."""
    starts, ends = (actions + _WINDOW).tolist(), [*actions[1:].tolist(), FOREVER]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]


def _billed(told: list[Told]) -> list[Span]:
    """When at least one subscription was neither over nor yet to begin."""
    last: dict[str, tuple[int, Subscription]] = {}
    states: list[tuple[int, int, Subscription]] = []
    for event in told:
        if isinstance(event.what, Subscription):
            since, state = last.get(event.what.subscription_id, (event.created, event.what))
            states.append((since * SECOND, event.created * SECOND, state))
            last[event.what.subscription_id] = event.created, event.what
    for since, state in last.values():
        states.append((since * SECOND, FOREVER, state))
    return _merged(
        sorted((since, until) for since, until, state in states if state.status in _BILLED and since < until)
    )


def _first_payment(told: list[Told]) -> int | None:
    paid = (
        event.created * SECOND
        for event in told
        if event.type == "invoice.paid" and isinstance(event.what, Invoice) and event.what.total > 0
    )
    return next(paid, None)


def _merged(spans: list[Span]) -> list[Span]:
    """Spans in order without those that touch the one before."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _overlaps(some: list[Span], others: list[Span]) -> list[Span]:
    """Where a span of one list meets a span of the other; each list is in order and free of overlaps."""
    pairs = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return [(start, end) for start, end in pairs if start < end]
