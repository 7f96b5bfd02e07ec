"""Fetches from a Stripe that is not real, by a clock that is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from ingest.options import LandOptions
from ingest.stripeapi import Access, StripeApi
from ingest.stripebackfill import BatchSize, backfill
from ingest.stripekinds import chosen_kinds
from ingest.summary import IngestSummary
from tests.ingest.fakestripe import KEY, FakeStripe
from tests.ingest.landings import NOW
from tests.ingest.stripes import CREATED
from warehouse.forget import landings
from warehouse.home import Home


@dataclass
class Clock:
    """A clock that moves on by a millisecond each time somebody looks at it."""

    at: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


def thing(kind: str, number: int, **changes: Any) -> dict[str, Any]:
    """The n-th object of a kind."""
    return {"id": f"{kind[:2]}_{number}", "object": kind, "created": CREATED + number, "livemode": False, **changes}


def fetch(
    home: Home,
    stripe: FakeStripe,
    *kinds: str,
    account: str = "",
    since: datetime | None = None,
    rows: int = 10_000,
    clock: Clock | None = None,
) -> IngestSummary:
    """Fetch kinds from the fake."""
    clock = clock or Clock(NOW + timedelta(minutes=len(landings(home.control)) if home.control.exists() else 0))
    api = StripeApi(Access(SecretStr(KEY), stripe.url, account), clock=clock, sleep=clock.slept.append)
    options = LandOptions(threads=1)
    return backfill(home, api, chosen_kinds(kinds), options, since=since, batch_size=BatchSize(rows=rows))
