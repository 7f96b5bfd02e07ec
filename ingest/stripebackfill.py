"""Landing what Stripe's API lists: kind by kind, newest first, in batches that count as soon as each has landed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from ingest.landfetched import land_deliveries
from ingest.options import LandOptions
from ingest.stripeapi import ApiFailed, CursorExpired, NotPermitted, StripeApi
from ingest.stripekinds import Kind
from ingest.summary import FileSummary, IngestSummary
from warehouse.fetch_cursor import FetchCursor, FetchedList, drop_cursor, read_cursor, set_cursor
from warehouse.home import Home

#: Called with a kind and how many of its entries have been fetched.
OnProgress = Callable[[str, int], None]

_MOST_RESTARTS = 3


@dataclass(frozen=True)
class BatchSize:
    """When what was fetched is landed: with so many rows, characters, or seconds since the batch began."""

    rows: int = 10_000
    characters: int = 64 << 20
    seconds: float = 30.0


def backfill(
    home: Home,
    api: StripeApi,
    kinds: Sequence[Kind],
    options: LandOptions,
    *,
    since: datetime | None = None,
    batch_size: BatchSize | None = None,
    on_progress: OnProgress | None = None,
) -> IngestSummary:
    """Land every object of some kinds, one kind after the other; a kind that fails does not stop the others.

    A fetch that was stopped goes on behind the last object that has landed.

    Args:
        home: where they land.
        api: whose they are.
        kinds: which are fetched.
        options: what the landing may use.
        since: only objects that were created then or later.
        batch_size: when a batch is landed.
        on_progress: told of every page.

    Returns: the counts, kind by kind; ``error`` tells of a kind that did not come to its end.

    Raises:
        UsageError: if the key is not accepted.
        BusyError: if another ingest does not end in time.
    """
    home.ensure()
    options = for_account(options, api)
    tell = on_progress or (lambda _kind, _count: None)
    return IngestSummary(
        tuple(_Fetch(home, api, kind, options, since, batch_size or BatchSize(), tell).run() for kind in kinds)
    )


def for_account(options: LandOptions, api: StripeApi) -> LandOptions:
    """The options of a landing that say whose the deliveries are."""
    return replace(options, writer="stripe", account=api.access.account, livemode=api.access.livemode)


def explained(error: ApiFailed, kind: Kind) -> str:
    """Why a kind could not be read to its end, and what is to be done."""
    if isinstance(error, NotPermitted):
        named = f" ({error.permission})" if error.permission else ""
        return f"{error}: give it the permission {kind.permission}: Read{named}"
    return str(error)


@dataclass
class _Fetch:
    """The fetch of one kind, and what has become of its entries so far."""

    home: Home
    api: StripeApi
    kind: Kind
    options: LandOptions
    since: datetime | None
    batch_size: BatchSize
    tell: OnProgress
    waiting: list[str] = field(default_factory=list)
    batches: list[FileSummary] = field(default_factory=list)
    fetched: int = 0

    def run(self) -> FileSummary:
        """Fetch and land all of the kind that is not there yet."""
        cursor = read_cursor(self.home.control, self.listed)
        if cursor and cursor.since != self.since_text:
            cursor = None
        notes = []
        if cursor:
            notes.append(
                f"{self.kind.name}: went on with the fetch of {cursor.started_at:%Y-%m-%d %H:%M:%S} UTC;"
                " the next one begins with what was created since"
            )
        error = None
        for restarts in range(_MOST_RESTARTS + 1):
            try:
                self._from(cursor)
            except CursorExpired:
                notes.append(f"{self.kind.name}: began anew, for the object where it was to go on is gone")
                drop_cursor(self.home.control, self.listed)
                cursor = None
                if restarts == _MOST_RESTARTS:
                    error = "objects vanish while they are listed: try again later"
            except ApiFailed as failure:
                error = explained(failure, self.kind)
                break
            else:
                break
        return self._summary(error, tuple(notes))

    @property
    def listed(self) -> FetchedList:
        """The list that is fetched."""
        return FetchedList(self.options.account, bool(self.options.livemode), self.kind.name)

    @property
    def since_text(self) -> str:
        """Where the fetch ends, as the cursor notes it."""
        return "" if self.since is None else self.since.astimezone(timezone.utc).isoformat()

    def _from(self, cursor: FetchCursor | None) -> None:
        begun_at = self.api.clock()
        reached = cursor or FetchCursor("", self.since_text, begun_at)
        params = {**self.kind.params} | ({"created": {"gte": int(self.since.timestamp())}} if self.since else {})
        try:
            for page in self.api.pages(self.kind.path, params, after=cursor.after_id if cursor else None):
                whole = [self.api.whole(entry, self.kind.nested).delivery for entry in page.entries]
                self.waiting += whole
                self.fetched += len(whole)
                self.tell(self.kind.name, self.fetched)
                if page.has_more:
                    reached = replace(reached, after_id=page.entries[-1].id)
                    if self._is_full(begun_at):
                        self._land(reached)
                        begun_at = self.api.clock()
        except ApiFailed:
            if self.waiting:
                self._land(reached)
            raise
        self._land(None)

    def _is_full(self, begun_at: datetime) -> bool:
        size = self.batch_size
        return (
            len(self.waiting) >= size.rows
            or sum(map(len, self.waiting)) >= size.characters
            or (self.api.clock() - begun_at).total_seconds() >= size.seconds
        )

    def _land(self, reached: FetchCursor | None) -> None:
        """Make what waits count, and with them how far the fetch has come."""
        deliveries, self.waiting = self.waiting, []
        if not deliveries:
            drop_cursor(self.home.control, self.listed)
            return
        now = self.api.clock()
        name = f"Stripe's API: {self.kind.name}"
        landed = land_deliveries(
            self.home,
            name,
            deliveries,
            self.options,
            now=now,
            also=lambda connection: set_cursor(connection, self.listed, reached),
        )
        self.batches.append(landed)

    def _summary(self, error: str | None, notes: tuple[str, ...]) -> FileSummary:
        total = IngestSummary(tuple(self.batches))
        assert total.rows_in == self.fetched == total.landed + total.duplicate + total.quarantined, total
        return FileSummary(
            self.kind.name,
            total.rows_in,
            total.landed,
            total.duplicate,
            total.quarantined,
            reasons=total.reasons,
            error=error,
            notes=notes,
        )
