"""What Meta's Conversions API gets: copies of leads, registrations and purchases, from the pixel, our server or both.

A file tells the two apart by ``channel`` beside the body: ``pixel`` for what the browser sent, ``server`` for the rest.
Copies of one act share their event_name and event_id; a few ids are used again after the 48 hours in which Meta takes
equal ids for copies.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ingest.simulator.acts import Acts
from ingest.simulator.billing import Billing
from ingest.simulator.breakage import broken_lines, envelope_breakages
from ingest.simulator.catalog import NUMBER
from ingest.simulator.chance import Chance
from ingest.simulator.deliveries import Run, Tally, arrivals, run_of
from ingest.simulator.devices import ip_address, machine_of
from ingest.simulator.ledger import Invoice, Subscription
from ingest.simulator.people import WORK, People
from ingest.simulator.season import DAY, SECOND, Season
from ingest.simulator.texts import dumps, iso_times, joined, picked
from ingest.simulator.vocabulary import CAMPAIGNS, COUNTRIES, META_SOURCES, SITE

Channel = Literal["pixel", "server"]
_BOTH, _SERVER_ALONE = 0.6, 0.85
_USED_AGAIN = 0.02
_BREAKAGES = envelope_breakages(
    '{"data":[{"event_name":"Lead","event_time":1700000000,"event_id":"broken","action_source":"website","user_data":{}}]}',
    '{"data":[{"event_time":1700000000,"event_id":"broken","action_source":"website","user_data":{}}]}',
)


@dataclass(frozen=True)
class Conversion:
    """Something Meta is told of; ``at`` in seconds, ``value`` in minor units."""

    person: int
    at: int
    name: str
    event_id: str
    in_browser: bool
    known: bool = True
    value: int | None = None
    currency: str | None = None


def conversions(chance: Chance, season: Season, people: People, acts: Acts, billing: Billing) -> list[Conversion]:
    """What Meta is told of the persons who allow it, in the order of persons."""
    found = [*_browser_conversions(people, acts), *_money_conversions(billing)]
    found = sorted((one for one in found if people.allows_meta[one.person]), key=_order)
    again = chance.happens("meta id again", len(found), _USED_AGAIN) & np.array([one.in_browser for one in found])
    wait = chance.whole("meta id again after", len(found), 3, 9) * DAY // SECOND
    later = [replace(one, at=one.at + int(wait[n])) for n, one in enumerate(found) if again[n]]
    return sorted([*found, *(one for one in later if one.at * SECOND < season.end)], key=_order)


def _order(one: Conversion) -> tuple[int, int]:
    return one.person, one.at


def _browser_conversions(people: People, acts: Acts) -> Iterator[Conversion]:
    from_meta = np.array([campaign.source in META_SOURCES for campaign in CAMPAIGNS])[people.campaign]
    # Of who never signs up, nothing would ever say whose the pixel's cookie is.
    leads = (acts.kind == NUMBER["pricing_viewed"]) & ~acts.known & (from_meta & people.signed_up)[acts.person]
    for person, at in zip(acts.person[leads].tolist(), acts.at[leads].tolist(), strict=True):
        yield Conversion(person, at // SECOND, "Lead", f"lead-{people.numbers[person]}-{at}", True, known=False)
    signups = acts.kind == NUMBER["signup_completed"]
    for person, at in zip(acts.person[signups].tolist(), acts.at[signups].tolist(), strict=True):
        yield Conversion(person, at // SECOND, "CompleteRegistration", f"signup-{people.numbers[person]}", True)


def _money_conversions(billing: Billing) -> Iterator[Conversion]:
    for person, told in billing.told.items():
        for event in told:
            match event.what:
                case Subscription(status="trialing") as trial if event.type == "customer.subscription.created":
                    yield Conversion(person, event.created, "StartTrial", trial.subscription_id, True)
                case Invoice() as paid if event.type == "invoice.paid" and paid.total > 0:
                    subscription, in_browser = paid.subscription, paid.reason == "subscription_create"
                    currency = subscription.price.currency
                    purchase = Conversion(
                        person, event.created, "Purchase", paid.invoice_id, in_browser, True, paid.total, currency
                    )
                    yield purchase
                    if in_browser:
                        yield replace(purchase, name="Subscribe", event_id=subscription.subscription_id)


def meta_run(chance: Chance, season: Season, people: People, told: list[Conversion]) -> Run:
    """What the pixel and our server send of conversions."""
    draws = chance.uniform("meta copies", len(told))
    requests = _requests(told, draws.tolist())
    bodies = [_body(people, copies, channel) for channel, copies in requests]
    channels = np.array([channel == "server" for channel, _ in requests], dtype=np.int64)
    wait = chance.waits("meta server", 100.0 * SECOND, len(requests)).astype(np.int64) * channels
    sent_at = np.array([copies[0].at for _, copies in requests], dtype=np.int64) * SECOND + 950 + wait
    arrived = arrivals(chance, "meta", season, np.minimum(sent_at, season.end - 1))
    lines = joined(
        '{"received_at":"',
        iso_times(arrived.received_at),
        picked(['","channel":"pixel","body":', '","channel":"server","body":'], channels[arrived.of]),
        picked(bodies, arrived.of),
        "}\n",
    )
    sizes = np.array([len(copies) for _, copies in requests], dtype=np.int64)
    tally = Tally(events=len(told), duplicates=int(sizes[arrived.of].sum()) - len(told))
    return run_of(arrived.received_at, lines, broken_lines(people, _BREAKAGES, shift=21), tally)


def _requests(told: list[Conversion], draws: list[float]) -> list[tuple[Channel, list[Conversion]]]:
    """What goes out together: what happened to a person in one second, by one channel."""
    requests: dict[tuple[int, int, Channel], list[Conversion]] = {}
    for conversion, draw in zip(told, draws, strict=True):
        for channel in _channels(conversion, draw):
            requests.setdefault((conversion.person, conversion.at, channel), []).append(conversion)
    return [(channel, copies) for (_, _, channel), copies in requests.items()]


def _channels(conversion: Conversion, draw: float) -> tuple[Channel, ...]:
    if not conversion.in_browser:
        return ("server",)
    if not conversion.known:
        return ("pixel",)
    return ("pixel", "server") if draw < _BOTH else ("server",) if draw < _SERVER_ALONE else ("pixel",)


def _body(people: People, copies: list[Conversion], channel: Channel) -> str:
    body: dict[str, Any] = {"data": [_event(people, one, channel) for one in copies]}
    return dumps(body | ({"partner_agent": "studio-pixel"} if channel == "pixel" else {}))


def _event(people: People, one: Conversion, channel: Channel) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_name": one.name,
        "event_time": one.at,
        "event_id": one.event_id,
        "action_source": "website" if one.in_browser else "system_generated",
    }
    if one.in_browser:
        event["event_source_url"] = f"{SITE}/app"
    event["user_data"] = _user_data(people, one, channel)
    if one.value is not None:
        event["custom_data"] = {"value": one.value / 100, "currency": one.currency}
    return event


def _user_data(people: People, one: Conversion, channel: Channel) -> dict[str, Any]:
    """Who it was: the browser knows its cookies and, of who has signed up, the e-mail; our server knows the rest."""
    person, number = one.person, int(people.numbers[one.person])
    data: dict[str, Any] = {}
    if one.known:
        data["em"] = [_sha256(people.emails[person])]
        data["external_id"] = [people.user_ids[person]]
    if one.known and channel == "server":
        country, (first, last) = COUNTRIES[people.country[person]], people.names[person]
        data |= {"fn": [_sha256(first.lower())], "ln": [_sha256(last.lower())]}
        data |= {"ct": [_sha256(re.sub(r"[\d.\s()-]", "", country.city.lower()))]}
        data |= {"country": [_sha256(country.code.lower())]}
        if people.has_number[person]:
            data["ph"] = [_sha256(f"{country.dialling}{5_550_000_000 + number}")]
    if one.in_browser:
        first_seen = int(people.first_at[person])
        data["client_ip_address"] = ip_address(people, person)
        data["client_user_agent"] = machine_of(people, int(people.device[person, WORK])).user_agent
        data["fbp"] = pixel_cookie(people, person)
        if CAMPAIGNS[people.campaign[person]].source in META_SOURCES:
            data["fbc"] = f"fb.1.{first_seen}.IwAR{number:012d}"
    return data


def pixel_cookie(people: People, person: int) -> str:
    """The id that Meta's pixel gives a browser."""
    return f"fb.1.{people.first_at[person]}.{1_000_000_000 + int(people.numbers[person])}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
