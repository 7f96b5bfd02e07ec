"""The definitions that tables of tests are built by: an event catalog, and two segments as SQL and in plain Python."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from models.catalog import EventCatalog, EventKind
from tests.dbt.builds import Workshop
from tests.dbt.identities import Delivery
from tests.dbt.oracle import Kind, Rule
from warehouse.home import Home

CATALOG = EventCatalog(
    default=EventKind(category="retention", is_action=False),
    events={
        "page_viewed": EventKind(category="acquisition", is_action=False),
        "signup_completed": EventKind(category="acquisition"),
        "video_rendered": EventKind(category="core_value"),
    },
)
KINDS = {name: Kind(kind.category, kind.is_action) for name, kind in CATALOG.events.items()} | {
    "*": Kind(CATALOG.default.category, CATALOG.default.is_action)
}


def busy_sql(days: int) -> str:
    """Two renders within some days, merged, in the form of a compiled segment."""
    return f"""
    select 'busy' as segment_id, person_key, min(begins) as entered_at, max(ends) as exited_at
    from (
        select *, sum(cast(apart as bigint)) over (partition by person_key order by begins) as island
        from (
            select *, coalesce(begins > lag(ends) over (partition by person_key order by begins), true) as apart
            from (
                select
                    person_key,
                    occurred_at as begins,
                    lag(occurred_at) over (partition by person_key order by occurred_at)
                    + interval '{days}' day as ends
                from EVENT where event_type = 'video_rendered'
            ) where ends > begins
        )
    ) group by person_key, island
    """


def busy_rule(days: int) -> Rule:
    """The same by trying every moment at which the answer can change."""
    window = timedelta(days=days)

    def stays(events: list[Delivery]) -> list[tuple[datetime, datetime | None]]:
        renders = [event["occurred_at"] for event in events if event["event_type"] == "video_rendered"]
        found: list[tuple[datetime, datetime | None]] = []
        entered = None
        for moment in sorted({*renders, *(render + window for render in renders)}):
            holds = sum(moment - window < render <= moment for render in renders) >= 2
            if holds and entered is None:
                entered = moment
            elif not holds and entered is not None:
                found.append((entered, moment))
                entered = None
        return found

    return stays


IDLE_SQL = """
    select 'idle' as segment_id, person_key, occurred_at + interval '20' day as entered_at, next_at as exited_at
    from (
        select person_key, occurred_at, lead(occurred_at) over (partition by person_key order by occurred_at) as next_at
        from EVENT
    ) where next_at is null or next_at > occurred_at + interval '20' day
    """


def idle_rule(events: list[Delivery]) -> list[tuple[datetime, datetime | None]]:
    """Nothing for 20 days."""
    times = [event["occurred_at"] for event in events]
    pause = timedelta(days=20)
    return [
        (time + pause, after)
        for time, after in zip(times, [*times[1:], None], strict=True)
        if after is None or after > time + pause
    ]


def stripe_workshop(folder: Path) -> Workshop:
    """A home for what Stripe tells, with one segment."""
    return Workshop(Home(folder).ensure(), CATALOG, {"busy": busy_sql(1)})
