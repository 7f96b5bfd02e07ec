"""The application's own events: one UnifiedEvent a line."""

from __future__ import annotations

from typing import Any

import numpy as np

from ingest.simulator.acts import Acts
from ingest.simulator.breakage import APP_BREAKAGES, broken_lines
from ingest.simulator.catalog import KINDS, NUMBER, Via, numbers_via
from ingest.simulator.chance import Chance
from ingest.simulator.deliveries import Arrivals, Run, Tally, arrivals, run_of
from ingest.simulator.devices import ip_address
from ingest.simulator.people import NEVER, WORK, People, github_id, google_id
from ingest.simulator.properties import PROPERTY_TEXTS, property_positions
from ingest.simulator.season import Season
from ingest.simulator.texts import Texts, dumps, iso_times, joined, picked, texts_of, uuids
from ingest.simulator.vocabulary import CAMPAIGNS, INDUSTRIES

_EMAIL, _GOOGLE, _GITHUB = range(3)


def app_acts(acts: Acts) -> Acts:
    """The acts that the application tells."""
    return acts.at_positions(np.isin(acts.kind, numbers_via(Via.APP)))


def app_run(chance: Chance, season: Season, people: People, acts: Acts) -> Run:
    """What the application sends of ``acts`` (of ``app_acts``)."""
    arrived = arrivals(chance, "app", season, acts.at)
    lines = _lines(chance, people, acts, arrived)
    tally = Tally(events=acts.count, duplicates=arrived.repeats)
    return run_of(arrived.received_at, lines, broken_lines(people, APP_BREAKAGES, shift=3), tally)


def _lines(chance: Chance, people: People, acts: Acts, arrived: Arrivals) -> Texts:
    """One line for each receipt; the client's clock is off by the skew of its device."""
    event_ids = uuids(chance, "event", acts.count)
    properties = picked(PROPERTY_TEXTS, property_positions(chance, "properties", acts.kind))
    of, happened = arrived.of, acts.at_positions(arrived.of)
    skew = people.skew[happened.device]
    who = [
        f'"personId":"{user_id}","ipAddress":"{ip}",' for user_id, ip in zip(people.user_ids, _ips(people), strict=True)
    ]
    signup = np.where(happened.kind == NUMBER["signup_completed"], happened.person, people.count)
    return joined(
        '{"eventId":"',
        picked(event_ids, of),
        '","timestamp":"',
        iso_times(happened.at + skew),
        '","eventType":"',
        picked([kind.event_type for kind in KINDS], happened.kind),
        '",',
        picked(who, happened.person),
        '"deviceId":"',
        picked(people.device_ids, happened.device),
        '","sessionId":"',
        session_ids(people, happened),
        '",',
        picked([*_signup_parts(people), ""], signup),
        '"source":"app","properties":',
        picked(properties, of),
        ',"sentAt":"',
        iso_times(arrived.sent_at + skew),
        '","receivedAt":"',
        iso_times(arrived.received_at),
        '"}\n',
    )


def session_ids(people: People, acts: Acts) -> Texts:
    """The application's names of visits."""
    return joined(
        picked([f"s-{user_id}-" for user_id in people.user_ids], acts.person),
        texts_of([str(number) for number in acts.session.tolist()]),
    )


def _ips(people: People) -> list[str]:
    return [ip_address(people, person) for person in range(people.count)]


def _signup_parts(people: People) -> list[str]:
    """What only a signup tells: e-mail, logins elsewhere, traits and the campaign that led to it."""
    return [_signup_part(people, person) if people.signed_up[person] else "" for person in range(people.count)]


def _signup_part(people: People, person: int) -> str:
    number, login = int(people.numbers[person]), people.login[person]
    campaign, company = CAMPAIGNS[people.campaign[person]], int(people.company[person])
    email = people.emails[person]
    part: dict[str, Any] = {"anonymousId": people.anonymous_ids[int(people.device[person, WORK])], "email": email}
    if login != _EMAIL:
        part["identifiers"] = {"google_id": google_id(number)} if login == _GOOGLE else {"github_id": github_id(number)}
    part["traits"] = traits_of(people, person)
    if campaign.source:
        part |= {"utmSource": campaign.source, "utmMedium": campaign.medium, "utmCampaign": campaign.name}
    if company != NEVER:
        part["accountId"] = account_id(company)
    return dumps(part)[1:-1] + ","


def traits_of(people: People, person: int) -> dict[str, str]:
    """What is known of somebody who has signed up."""
    company = int(people.company[person])
    traits = {"name": " ".join(people.names[person]), "email": people.emails[person]}
    if company != NEVER:
        traits |= {"company": people.company_name(company), "industry": INDUSTRIES[company % len(INDUSTRIES)]}
    return traits


def account_id(company: int) -> str:
    """The application's id of a company."""
    return f"account-{company:06d}"
