"""Comparing what has landed with what Stripe says now, and landing what was missed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.delivery import member_text
from ingest.landfetched import land_deliveries
from ingest.options import LandOptions
from ingest.stripeapi import ApiFailed, Entry, StripeApi, with_member
from ingest.stripebackfill import BatchSize, OnProgress, explained, for_account
from ingest.stripefacts import differing
from ingest.stripekinds import ITEMS, LINES, Kind
from ingest.stripelanded import LandedStripe, landed_stripe
from warehouse.home import Home

#: How far back Stripe lists events.
EVENT_DAYS = 30

_INSIDE = {"customer": "customers", "latest_invoice": "invoices"}
_SUBSCRIPTIONS = Kind(
    "subscriptions",
    "subscription",
    "Subscriptions, Customers and Invoices",
    {"status": "all", "expand": ["data.discounts.source.coupon", "data.customer", "data.latest_invoice.payments"]},
    ITEMS,
)
_EVENTS = Kind("events", "event", "Events")


@dataclass
class KindReport:
    """What became of the objects of one kind: ``listed`` = ``equal`` + ``missing`` + ``stale``.

    Unless nothing was to land, ``missing`` + ``stale`` = ``landed`` + ``duplicate`` + ``quarantined``. ``differs``
    counts what the stale ones said that is no longer so; ``error`` says why Stripe's list was not read to its end.
    """

    kind: str
    equal: int = 0
    missing: int = 0
    stale: int = 0
    landed: int = 0
    duplicate: int = 0
    quarantined: int = 0
    differs: Counter[str] = field(default_factory=Counter)
    error: str | None = None

    @property
    def listed(self) -> int:
        """How many Stripe listed."""
        return self.equal + self.missing + self.stale

    def to_json(self) -> dict[str, Any]:
        """The report as plain values (docs/json.md)."""
        counts = ("listed", "equal", "missing", "stale", "landed", "duplicate", "quarantined")
        plain = {"kind": self.kind, **{name: getattr(self, name) for name in counts}}
        return plain | {"differs": dict(self.differs.most_common())} | ({"error": self.error} if self.error else {})


@dataclass(frozen=True)
class Reconciliation:
    """How landing and Stripe differed; ``since`` is when the events begin that were compared."""

    account: str
    livemode: bool
    since: datetime
    is_dry_run: bool
    kinds: tuple[KindReport, ...]

    @property
    def exit_code(self) -> int:
        """0 if all was compared, however much was missing; else 1."""
        return int(any(kind.error for kind in self.kinds))

    def to_json(self) -> dict[str, Any]:
        """The reconciliation as plain values (docs/json.md)."""
        return {
            "account": self.account,
            "livemode": self.livemode,
            "events_since": self.since.isoformat(),
            "dry_run": self.is_dry_run,
            "kinds": [kind.to_json() for kind in self.kinds],
        }


def reconcile(
    home: Home,
    api: StripeApi,
    options: LandOptions,
    *,
    dry_run: bool = False,
    batch_size: BatchSize | None = None,
    on_progress: OnProgress | None = None,
) -> Reconciliation:
    """Compare all subscriptions, their customers and latest invoices, and the events that Stripe still lists.

    What has not landed, or was last told otherwise, lands as Stripe tells it now.

    Args:
        home: where it lands.
        api: whose they are.
        options: what the landing may use.
        dry_run: only count.
        batch_size: when what was missed is landed.
        on_progress: told of every page.

    Raises:
        UsageError: if the key is not accepted.
        BusyError: if another ingest does not end in time.
    """
    options = for_account(options, api)
    since = (api.clock() - timedelta(days=EVENT_DAYS)).replace(microsecond=0)
    with landed_stripe(home, options) as landed:
        work = _Work(home, api, options, landed, batch_size or BatchSize(), dry_run, on_progress or (lambda *_: None))
        work.compare_subscriptions()
        work.compare_events(since)
        work.land_all()
    return Reconciliation(options.account, bool(options.livemode), since, dry_run, tuple(work.reports.values()))


@dataclass
class _Work:
    """A reconciliation, and what has been found so far."""

    home: Home
    api: StripeApi
    options: LandOptions
    landed: LandedStripe
    batch_size: BatchSize
    is_dry_run: bool
    tell: OnProgress
    seen: set[str] = field(default_factory=set)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    reports: dict[str, KindReport] = field(
        default_factory=lambda: {
            name: KindReport(name) for name in ("subscriptions", "customers", "invoices", "events")
        }
    )

    def compare_subscriptions(self) -> None:
        """Compare subscriptions with what they bring along."""
        report = self.reports["subscriptions"]
        try:
            for page in self.api.pages(_SUBSCRIPTIONS.path, _SUBSCRIPTIONS.params):
                parts = [part for entry in page.entries for part in self._parts(entry)]
                self._compare_objects([(kind, part) for kind, part in parts if self._is_first(part)])
                self.tell("subscriptions", report.listed)
        except ApiFailed as failure:
            report.error = explained(failure, _SUBSCRIPTIONS)

    def compare_events(self, since: datetime) -> None:
        """Look which events have not come."""
        report = self.reports["events"]
        try:
            for page in self.api.pages(_EVENTS.path, {"created": {"gte": int(since.timestamp())}}):
                known = self.landed.events(entry.id for entry in page.entries)
                missing = [entry for entry in page.entries if entry.id not in known]
                report.equal += len(page.entries) - len(missing)
                report.missing += len(missing)
                self._wait("events", missing)
                self.tell("events", report.listed)
        except ApiFailed as failure:
            report.error = explained(failure, _EVENTS)

    def land_all(self) -> None:
        """Land what waits."""
        for kind in list(self.waiting):
            self._land(kind)

    def _parts(self, entry: Entry) -> Iterator[tuple[str, Entry]]:
        """A subscription by itself, and the objects that stand in it."""
        text = self.api.whole(entry, ITEMS).text
        for member, kind in _INSIDE.items():
            inside = entry.value.get(member)
            if isinstance(inside, dict):
                part = Entry(inside["id"], inside, member_text(text, member), entry.fetched_at)
                yield kind, self.api.whole(part, LINES) if kind == "invoices" else part
                text = with_member(text, member, json.dumps(inside["id"]))
        yield "subscriptions", replace(entry, text=text, value=json.loads(text))

    def _is_first(self, part: Entry) -> bool:
        """Whether an object was not compared yet: a customer comes with each subscription."""
        is_first = _name(part) not in self.seen
        self.seen.add(_name(part))
        return is_first

    def _compare_objects(self, parts: list[tuple[str, Entry]]) -> None:
        known = self.landed.objects(_name(part) for _, part in parts)
        for kind, part in parts:
            report = self.reports[kind]
            if _name(part) not in known:
                report.missing += 1
                self._wait(kind, [part])
                continue
            before = known[_name(part)]
            # What was deleted stays so: nothing that is told of it later counts.
            if before is None or not (names := differing(before, part.value)):
                report.equal += 1
                continue
            report.stale += 1
            report.differs.update(names)
            self._wait(kind, [part])

    def _wait(self, kind: str, entries: list[Entry]) -> None:
        if self.is_dry_run or not entries:
            return
        waiting = self.waiting.setdefault(kind, [])
        waiting += [entry.delivery for entry in entries]
        if len(waiting) >= self.batch_size.rows or sum(map(len, waiting)) >= self.batch_size.characters:
            self._land(kind)

    def _land(self, kind: str) -> None:
        deliveries, report = self.waiting.pop(kind), self.reports[kind]
        name = f"Stripe's API, reconciled: {kind}"
        summary = land_deliveries(self.home, name, deliveries, self.options, now=self.api.clock())
        report.landed += summary.landed
        report.duplicate += summary.duplicate
        report.quarantined += summary.quarantined


def _name(part: Entry) -> str:
    return f"{part.value['object']}:{part.id}"
