"""Of what Stripe sent: how late its events came, how many were told otherwise before, and what nobody reads.

Read from Stripe's landing: the newest rows, and of all rows the ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.duckfiles import file_pattern
from models.landing import STRIPE
from warehouse.control import LandedFile, landed_files
from warehouse.duck import connect
from warehouse.home import Home

#: The objects of Stripe that the tables are made from (dbt_project/models/intermediate/stripe).
STRIPE_OBJECTS = frozenset(
    {
        *("customer", "subscription", "invoice", "charge", "refund", "dispute", "checkout.session"),
        *("credit_note", "invoice_payment", "coupon"),
    }
)
_NEWEST_DELIVERIES = 10_000
_MOST_TYPES = 10

_DELIVERIES = """
with delivery as (
    select kind, event_type, object_type, created_at, received_at
    from read_parquet($paths, file_row_number = true)
    order by batch_seq desc, file_row_number desc
    limit $most
)
"""
_DELIVERY_DELAYS = """
select quantile_cont(epoch(received_at - created_at), [0.5, 0.99]) filter (where kind = 'event') from delivery
"""
_UNREAD_TYPES = f"""
select coalesce(event_type, object_type) as type, count(*) from delivery
where object_type is null or not list_contains($read, object_type)
group by type order by count(*) desc, type limit {_MOST_TYPES}
"""
#: Events of Stripe that were told with other data: in another version of the API they may be, and how many webhooks
#: are pending changes by itself. Only the bodies of events that came with several are read.
_DELIVERY_CONFLICTS = """
with several as (
    select account, livemode, delivery_id from read_parquet($paths)
    where kind = 'event'
    group by all having count(distinct body_key) > 1
),
told as (
    select account, livemode, delivery_id, api_version, json_normalize(json_extract(body, '$.data')) as data
    from read_parquet($paths) semi join several using (account, livemode, delivery_id)
    where kind = 'event'
)
select coalesce(sum(tellings - 1), 0)::bigint from (
    select count(distinct data) as tellings from told group by account, livemode, delivery_id, api_version
)
"""


def stripe_deliveries(home: Home) -> tuple[tuple[float, float] | None, int, Mapping[str, int]]:
    """What its deliveries are like.

    Returns: median and 99th percentile of the seconds from an event to its receipt, over the newest deliveries, None
    where nothing says when they were received; how many deliveries tell an event with other data than an earlier one,
    in one version of the API; and of the newest deliveries those of objects from which no table is made, by type.
    """
    files = landed_files(home.control, entity=STRIPE.name)
    if not files:
        return None, 0, {}
    with connect() as connection:

        def ask(sql: str, **values: Any) -> list[Any]:
            return connection.execute(sql, values).fetchall()

        newest = {"paths": _paths(home, _newest(files)), "most": _NEWEST_DELIVERIES}
        ((delays,),) = ask(f"{_DELIVERIES} {_DELIVERY_DELAYS}", **newest)
        types = ask(f"{_DELIVERIES} {_UNREAD_TYPES}", **newest, read=sorted(STRIPE_OBJECTS))
        ((conflicts,),) = ask(_DELIVERY_CONFLICTS, paths=_paths(home, files))
    return delays and (delays[0], delays[1]), conflicts, dict(types)


def _newest(files: Sequence[LandedFile]) -> list[LandedFile]:
    """The last landing files that together hold enough rows."""
    newest, rows = [], 0
    for file in reversed(files):
        if rows >= _NEWEST_DELIVERIES:
            break
        newest.append(file)
        rows += file.rows
    return newest


def _paths(home: Home, files: Sequence[LandedFile]) -> list[str]:
    return [file_pattern(home.root / file.path) for file in files]
