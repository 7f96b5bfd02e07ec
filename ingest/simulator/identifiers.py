"""The truth about who is who: every identifier of a chunk's persons that any system tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ingest.simulator.acts import Acts
from ingest.simulator.billing import Billing
from ingest.simulator.catalog import NUMBER
from ingest.simulator.meta_files import Conversion, pixel_cookie
from ingest.simulator.people import DEVICES, PHONE, People, github_id, google_id

_GOOGLE, _GITHUB = 1, 2

#: The number of a person, the type of an identifier, its value, and whether somebody else has it too.
Owned = tuple[int, str, str, bool]


def identifiers(
    people: People, app: Acts, segment: Acts, billing: Billing, meta: Iterable[Conversion]
) -> Iterator[Owned]:
    """All identifiers; an e-mail stands for its SHA-256 as well, which is all that Meta's copies have of it."""
    for person in np.flatnonzero(people.signed_up).tolist():
        number = int(people.numbers[person])
        yield number, "user_id", people.user_ids[person], False
        yield number, "email", people.emails[person], False
        if people.login[person] == _GOOGLE:
            yield number, "google_id", google_id(number), False
        if people.login[person] == _GITHUB:
            yield number, "github_id", github_id(number), False
    for customer in billing.customers:
        yield customer.person, "stripe_id", customer.customer_id, False
    for person in sorted({one.person for one in meta if one.in_browser}):
        yield int(people.numbers[person]), "custom:fbp", pixel_cookie(people, person), False
    of_phones = segment.at_positions((segment.device % DEVICES == PHONE) & (segment.kind != NUMBER["invite_sent"]))
    yield from _of_devices(people, "device_id", (app, of_phones))
    signups = app.at_positions(app.kind == NUMBER["signup_completed"])
    by_browsers = segment.at_positions(segment.kind != NUMBER["invite_sent"])
    yield from _of_devices(people, "anonymous_id", (by_browsers, signups))


def _of_devices(people: People, id_type: str, told: Sequence[Acts]) -> Iterator[Owned]:
    """What the devices of acts are called: each pair of a person and a device once."""
    names = people.device_ids if id_type == "device_id" else people.anonymous_ids
    width = people.count * DEVICES
    pairs = np.unique(np.concatenate([acts.person * width + acts.device for acts in told]))
    person, device = np.divmod(pairs, width)
    values = [names[one] for one in device.tolist()]
    shared = (np.bincount(device, minlength=width)[device] > 1).tolist()
    for number, value, is_shared in zip(people.numbers[person].tolist(), values, shared, strict=True):
        yield number, id_type, value, is_shared
