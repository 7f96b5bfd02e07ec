"""What the landing knows of Stripe's objects: the last telling of each, and which events have come."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from ingest.duckfiles import parquet_files
from ingest.options import LandOptions
from ingest.parts import Engine, connected
from models.landing import STRIPE
from warehouse.control import landed_files
from warehouse.home import Home

#: The last telling of each object, in the order of dbt_project/macros/stripe_tellings.sql.
_LATEST = """
create temp table latest as
select
    object_type || ':' || object_id as name,
    bool_or(is_deleted) as is_deleted,
    arg_max(body, (is_deleted, told_at, kind = 'object', type_rank, delivery_id, fetched_at, body_key)) as body
from (
    select
        *,
        coalesce(event_type like '%.deleted', false) as is_deleted,
        date_trunc('second', coalesce(created_at, fetched_at)) as told_at,
        case when event_type like '%.created' then 0 when event_type like '%.deleted' then 2 else 1 end as type_rank
    from {files}
)
where object_type in ('customer', 'subscription', 'invoice') and object_id is not null
    and account = $account and coalesce(livemode, true) = $livemode
group by object_type, object_id
"""
_EVENTS = """
create temp table event as
select distinct delivery_id as id
from {files}
where kind = 'event' and account = $account and coalesce(livemode, true) = $livemode
"""


class LandedStripe:
    """What has landed of one account in one mode.

    Args:
        connection: a database of its own.
        files: the landing files of Stripe.
        account: the connected account; '' for one's own.
        livemode: the mode.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, files: Iterable[Path], account: str, *, livemode: bool
    ) -> None:
        nothing = ", ".join(f"null::{column.type} as {column.name}" for column in STRIPE.columns)
        relation = parquet_files(files) or f"(select {nothing} where false)"
        self._connection = connection
        for query in (_LATEST, _EVENTS):
            connection.execute(query.format(files=relation), {"account": account, "livemode": livemode})

    def objects(self, names: Iterable[str]) -> dict[str, Mapping[str, Any] | None]:
        """The last telling of those objects (``customer:cus_1``) that have landed; None of one that was deleted."""
        rows = self._connection.execute(
            "select name, is_deleted, body from latest where name in (select unnest($names::varchar[]))",
            {"names": list(names)},
        ).fetchall()
        return {name: None if is_deleted else _object_of(json.loads(body)) for name, is_deleted, body in rows}

    def events(self, ids: Iterable[str]) -> set[str]:
        """Those of some events that have landed."""
        rows = self._connection.execute(
            "select id from event where id in (select unnest($ids::varchar[]))", {"ids": list(ids)}
        ).fetchall()
        return {event_id for (event_id,) in rows}


@contextmanager
def landed_stripe(home: Home, options: LandOptions) -> Iterator[LandedStripe]:
    """What has landed by now of the account and the mode that the options name."""
    files = [home.root / file.path for file in landed_files(home.control, entity=STRIPE.name)]
    with (
        tempfile.TemporaryDirectory(dir=home.staging, prefix="reconcile-") as folder,
        connected(Path(folder), Engine(options.threads, options.memory_limit)) as connection,
    ):
        yield LandedStripe(connection, files, options.account, livemode=bool(options.livemode))


def _object_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = body["data"]["object"] if body["object"] == "event" else body
    return found
