"""Who there is: visitors and bots, their devices, their names, and whether they sign up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ingest.simulator.chance import Bools, Chance, Floats, Ints
from ingest.simulator.season import DAY, MINUTE, Season
from ingest.simulator.texts import uuids
from ingest.simulator.vocabulary import (
    CAMPAIGNS,
    COMPANY_NAMES,
    COUNTRIES,
    FIRST_NAMES,
    LAST_NAMES,
)

#: So many persons are drawn together. The sizes below divide it, so nobody shares anything across chunks.
CHUNK = 5_000
COMPANY_SIZE = 4
#: A browser at work, another one, and a phone; not everybody has them all.
DEVICES = 3
WORK, SECOND, PHONE = range(DEVICES)
NEVER = -1


@dataclass(frozen=True)
class People:
    """The persons of a chunk, one position each; ``first_person`` is the number of the first.

    Attributes:
        visits: how often somebody comes before signing up or leaving.
        keen: from 0 to 1: how much somebody does.
        signup_at: in milliseconds; NEVER for who does not sign up.
        company: the number of the company; NEVER for who has none.
        device: person × ordinal: the position of the device. The second one may be the first one of a colleague.
    """

    first_person: int
    is_bot: Bools
    first_at: Ints
    visits: Ints
    campaign: Ints
    country: Ints
    keen: Floats
    signup_at: Ints
    login: Ints
    company: Ints
    has_second: Bools
    has_phone: Bools
    has_number: Bools
    allows_meta: Bools
    shares: Bools
    skew: Ints
    device: Ints
    first_name: Ints
    last_name: Ints
    device_ids: list[str]
    anonymous_ids: list[str]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.first_at)

    @cached_property
    def numbers(self) -> Ints:
        """The numbers of the persons."""
        return self.first_person + np.arange(self.count)

    @cached_property
    def signed_up(self) -> Bools:
        """Who signs up."""
        return np.not_equal(self.signup_at, NEVER)

    @cached_property
    def shared_device(self) -> Bools:
        """By position of the device: whether two persons use it."""
        shared = np.zeros(self.count * DEVICES, dtype=bool)
        shared[self.device[self.shares, SECOND]] = True
        return shared

    @cached_property
    def user_ids(self) -> list[str]:
        """What the application calls its users, also of those who never become one."""
        return [f"user-{number:07d}" for number in self.numbers.tolist()]

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        """First and last names."""
        pairs = zip(self.first_name.tolist(), self.last_name.tolist(), strict=True)
        return [(FIRST_NAMES[first], LAST_NAMES[last]) for first, last in pairs]

    @cached_property
    def emails(self) -> list[str]:
        """E-mail addresses, at the company's domain for who has one."""
        return [
            f"{_ascii(first)}.{_ascii(last)}.{number}@{domain}"
            for (first, last), number, domain in zip(self.names, self.numbers.tolist(), self._domains(), strict=True)
        ]

    def company_name(self, company: int) -> str:
        """What a company is called."""
        return f"{COMPANY_NAMES[company % len(COMPANY_NAMES)]} {company}"

    def _domains(self) -> list[str]:
        return [
            f"{_ascii(self.company_name(company)).replace(' ', '-')}.example" if company != NEVER else "mail.example"
            for company in self.company.tolist()
        ]


_LETTERS = str.maketrans({"é": "e", "ø": "o", "ı": "i", "&": "and"})


def _ascii(name: str) -> str:
    return name.lower().translate(_LETTERS)


def draw_people(chance: Chance, season: Season, count: int) -> People:
    """The first ``count`` persons of a chunk."""
    is_bot = chance.happens("bot", count, 0.004)
    first_at = season.at(chance.uniform("first visit", count) * season.days * 24)
    campaign = chance.choice("campaign", count, tuple(campaign.weight for campaign in CAMPAIGNS))
    appeal = np.array([campaign.appeal for campaign in CAMPAIGNS])[campaign]
    visits = np.where(is_bot, 1, 1 + np.minimum(chance.waits("visits", 0.9, count).astype(np.int64), 5))
    hesitates = (visits - 1) * 2 * DAY * chance.uniform("hesitates", count, 0.2, 1.0)
    signup_at = first_at + (hesitates + chance.uniform("reads", count, 8, 55) * MINUTE).astype(np.int64)
    signs_up = chance.happens("signs up", count, appeal) & ~is_bot & (signup_at < season.end)
    numbers = chance.chunk * CHUNK + np.arange(count)
    in_company = chance.happens("company", count, 0.3)
    odd = numbers % 2 == 1
    shares = chance.happens("shares", count, 0.06) & odd & signs_up & np.roll(signs_up, 1)
    device = np.arange(count * DEVICES).reshape(count, DEVICES)
    device[shares, SECOND] = device[np.flatnonzero(shares) - 1, WORK]
    return People(
        first_person=chance.chunk * CHUNK,
        is_bot=is_bot,
        first_at=first_at,
        visits=visits,
        campaign=campaign,
        country=chance.choice("country", count, tuple(country.weight for country in COUNTRIES)),
        keen=chance.uniform("keen", count) ** 1.6,
        signup_at=np.where(signs_up, signup_at, NEVER),
        login=chance.choice("login", count, (0.6, 0.28, 0.12)),
        company=np.where(in_company, numbers // COMPANY_SIZE, NEVER),
        has_second=(chance.happens("second", count, 0.35) & ~is_bot) | shares,
        has_phone=chance.happens("phone", count, 0.35) & ~is_bot,
        has_number=chance.happens("number", count, 0.4),
        allows_meta=chance.happens("meta", count, 0.8) & ~is_bot,
        shares=shares,
        skew=_skews(chance, count),
        device=device,
        first_name=chance.whole("first name", count, 0, len(FIRST_NAMES) - 1),
        last_name=chance.whole("last name", count, 0, len(LAST_NAMES) - 1),
        device_ids=uuids(chance, "device", count * DEVICES).to_pylist(),
        anonymous_ids=uuids(chance, "anonymous", count * DEVICES).to_pylist(),
    )


def _skews(chance: Chance, count: int) -> Ints:
    """By position of the device: how far its clock is ahead, in milliseconds; most are right within a second."""
    devices = count * DEVICES
    wrong = chance.happens("clock", devices, 0.07)
    far = chance.uniform("clock far", devices, -130, 130) * MINUTE
    near = chance.uniform("clock near", devices, -900, 900)
    skew = np.where(wrong, far, near).astype(np.int64)
    return np.where(skew == 0, 1, skew)


def google_id(person: int) -> str:
    """The number Google knows a person by: 21 digits."""
    return f"1{person * 48_271 + 7:020d}"


def github_id(person: int) -> str:
    """The number GitHub knows a person by."""
    return str(10_000_000 + person * 31)
