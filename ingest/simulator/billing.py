"""Who of a chunk pays, and all that Stripe tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.simulator.chance import Chance
from ingest.simulator.ledger import Customer, Told
from ingest.simulator.people import People
from ingest.simulator.season import DAY, Season
from ingest.simulator.subscriber import Terms, life
from ingest.simulator.vocabulary import COUNTRIES


@dataclass(frozen=True)
class Billing:
    """The customers, and what Stripe tells of each, by the position of the person."""

    customers: Sequence[Customer]
    told: Mapping[int, list[Told]]


def modern_from(season: Season) -> int:
    """The second from which on Stripe writes the new shape: half of the time."""
    return (season.begin + season.days * DAY // 2) // 1000


def draw_billing(chance: Chance, season: Season, people: People) -> Billing:
    """The customers among those who sign up, the keener the likelier."""
    pays = chance.happens("pays", people.count, 0.12 + 0.4 * people.keen) & people.signed_up
    wait = chance.waits("pays after", 6.0 * DAY, people.count).astype(np.int64)
    forgets = chance.happens("no user id", people.count, 0.03)
    customers, told = [], {}
    for person in np.flatnonzero(pays).tolist():
        begin = int(people.signup_at[person] + wait[person]) // 1000 + 60
        if begin * 1000 >= season.end:
            continue
        country = COUNTRIES[people.country[person]]
        customer = Customer(
            customer_id=f"cus_{chance.seed % 10_000:04d}{people.numbers[person]:010d}",
            person=int(people.numbers[person]),
            email=people.emails[person],
            name=" ".join(people.names[person]),
            country=country.code,
            user_id=None if forgets[person] else people.user_ids[person],
            created=begin - 20,
        )
        terms = Terms(
            customer=customer,
            begin=begin,
            end=season.end // 1000,
            currency=country.currency,
            modern_from=modern_from(season),
            loyal=float(people.keen[person]),
        )
        customers.append(customer)
        told[person] = life(terms, chance.stream("subscriber", person))
    return Billing(customers, told)
