"""What each device of a chunk says of itself, as parts of JSON."""

from __future__ import annotations

from ingest.simulator.people import DEVICES, PHONE, People
from ingest.simulator.texts import dumps
from ingest.simulator.vocabulary import BOT, BROWSERS, COUNTRIES, PHONES, Machine


def machine_of(people: People, device: int) -> Machine:
    """The machine at a position."""
    person, ordinal = divmod(device, DEVICES)
    if people.is_bot[person]:
        return BOT
    number = people.first_person + person
    return PHONES[number % len(PHONES)] if ordinal == PHONE else BROWSERS[(number + ordinal) % len(BROWSERS)]


def ip_address(people: People, person: int) -> str:
    """The address a person comes from; many persons come from one."""
    return f"{COUNTRIES[people.country[person]].network}.{1 + (people.first_person + person) % 250}"


def segment_contexts(people: People) -> list[str]:
    """By position of the device: the inside of the ``context`` that Segment's client on it sends."""
    return [_context(people, device) for device in range(people.count * DEVICES)]


def _context(people: People, device: int) -> str:
    person, ordinal = divmod(device, DEVICES)
    machine, country = machine_of(people, device), COUNTRIES[people.country[person]]
    context = {"ip": ip_address(people, person), "userAgent": machine.user_agent, "locale": country.locale}
    context["timezone"] = country.timezone
    if ordinal != PHONE:
        return dumps({**context, "library": {"name": "analytics.js", "version": "next-1.84.3"}})[1:-1]
    more = {
        "app": {"name": "Studio", "version": "5.2"},
        "device": {"id": people.device_ids[device], "type": machine.kind},
        "os": {"name": machine.system},
        "library": {"name": f"analytics-{machine.kind}", "version": "4.1.8"},
    }
    return dumps({**context, **more})[1:-1]
