"""The services whose files can be ingested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.messages import Messages
from ingest.meta import Meta
from ingest.segment import Segment
from ingest.stripecheck import StripeRules
from ingest.striperows import StripeRows

if TYPE_CHECKING:
    from ingest.eventcheck import Rules
    from ingest.options import LandOptions, Writer
    from ingest.parts import Parts
    from ingest.service import Service
    from ingest.taker import Taker

SERVICES: dict[Writer, Service] = {"segment": Segment(), "meta": Meta()}


def taker_of(parts: Parts, options: LandOptions, rules: Rules, *, place: str | None) -> Taker | None:
    """What takes the deliveries of a service; None if the files hold events of our own, or mapped records.

    ``place`` is what a text of the file is called in a message; None if each is a row that is tried again.
    """
    if options.writer == "stripe":
        return StripeRows(parts, StripeRules(rules.times, options.received_at, options.account, options.livemode))
    service = SERVICES.get(options.writer)
    if service is None:
        return None
    return Messages(parts, rules, service, received_at=options.received_at, place=place)
